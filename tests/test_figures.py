"""Published beside computed: how they are compared, and that the published ones stay where they are."""

import csv
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from khochung import figures
from khochung.settings import REPOSITORY


@pytest.mark.parametrize(
    ("published", "computed", "qualifier", "agree"),
    [
        ("98.35", "98.35", "exact", True),
        ("98.35", "98.355", "exact", True),
        ("98.35", "98.36", "exact", False),
        ("85.3", "85.30", "exact", True),
        ("85.3", "85.36", "exact", False),
        ("98", "98.99", "about", True),
        ("98", "99.01", "about", False),
        ("2500", "2501", "over", True),
        ("2500", "2500", "over", False),
        ("2500", "2700", "over", False),
        ("5000", "4990", "nearly", True),
        ("5000", "5000", "nearly", False),
        ("5000", "4000", "nearly", False),
    ],
)
def test_when_two_figures_agree(published: str, computed: str, qualifier: str, agree: bool) -> None:
    assert figures.agrees(Decimal(published), Decimal(computed), qualifier) is agree


def figure(**changes: Any) -> figures.Figure:
    known: dict[str, Any] = {
        "code": "c", "kind": "computed", "indicator_vi": "", "indicator_en": "", "province": "80", "is_elsewhere": False,
        "unit": "percent", "qualifier": "exact", "period_start": None, "period_end": date(2024, 3, 14),
        "published": Decimal("98.35"), "published_denominator": Decimal(64022), "computed": Decimal("98.36"),
        "numerator": Decimal(1259), "denominator": Decimal(1280), "metric_version": "m/press", "waits_for": None,
        "publisher": "Sở Nội vụ", "document": "Báo cáo 1", "document_on": None, "plan": None,
    }  # fmt: skip
    return figures.Figure(**(known | changes))


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({}, "1,259 of 1,280: one record weighs 0.078 points, so it cannot come closer"),
        ({"computed": Decimal("98.35")}, "1,259 of 1,280"),
        ({"computed": Decimal(90)}, "1,259 of 1,280, published over 64,022: the source delivers a part only"),
        ({"computed": Decimal(90), "published_denominator": None}, "1,259 of 1,280"),
        ({"computed": None}, "no record of its period"),
        ({"computed": Decimal(857), "published": Decimal(857), "denominator": None}, ""),
        ({"computed": None, "metric_version": None, "waits_for": "1022 hotline"}, "waits for: 1022 hotline"),
        ({"kind": "target", "metric_version": None}, "taken over as published"),
        ({"is_elsewhere": True, "province": "93"}, "of province 93, which this warehouse does not serve: taken over"),
    ],
)
def test_a_figure_says_what_it_is_worked_out_from(changes: dict[str, Any], note: str) -> None:
    assert figure(**changes).note == note


def test_the_keys_of_the_json_are_an_interface() -> None:
    pair = figures.Disagreement("c", "d", "same moment", "hai", "two")
    other = figure(code="d", plan="Nghị quyết 1")
    told = figures.as_json([figure(), other, figure(code="e")], [pair])
    assert told[0] == {
        "code": "c", "kind": "computed", "province": "80", "published": 98.35, "computed": 98.36, "difference": 0.01,
        "within_rounding": False, "metric_version": "m/press", "source": "Sở Nội vụ; Báo cáo 1", "note": figure().note,
        "disagrees_with": [{"code": "d", "rule": "same moment", "why_vi": "hai", "why_en": "two"}],
    }  # fmt: skip
    assert told[1]["source"] == "Sở Nội vụ; Nghị quyết 1; Báo cáo 1"
    assert [one["code"] for one in told[1]["disagrees_with"]] == ["c"]
    assert told[2]["disagrees_with"] == []


def test_a_contradiction_is_told_with_both_documents() -> None:
    pair = figures.Disagreement("c", "d", "same moment", None, None)
    lines = figures.grid([figure(), figure(code="d", document="Báo cáo 2")], [pair]).renderables
    told = "\n".join(line for line in lines if isinstance(line, str))
    assert "1 pairs of published figures contradict each other:" in told
    assert "Báo cáo 1" in told and "Báo cáo 2" in told and "nobody has said why" in told


def reference() -> list[dict[str, str]]:
    """The newest reviewed file: the one place where published values stand."""
    newest = max((REPOSITORY / "reviewed" / "indicator").glob("so_lieu_cong_bo_*.csv"))
    return list(csv.DictReader(newest.read_text(encoding="utf-8").splitlines()))


def seed(name: str) -> list[dict[str, str]]:
    text = (REPOSITORY / "dbt_project" / "seeds" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_every_metric_that_is_named_is_defined() -> None:
    defined = {(row["metric_code"], row["metric_version"]) for row in seed("metric_definition")}
    named = {(row["metric_code"], row["metric_version"]) for row in seed("published_figure") if row["metric_code"]}
    assert named
    assert named <= defined


def test_every_figure_is_answered_or_says_what_it_waits_for() -> None:
    answers = seed("published_figure")
    assert [row["value_code"] for row in answers if bool(row["metric_code"]) == bool(row["waits_for"])] == []
    assert {row["value_code"] for row in answers} <= {row["value_code"] for row in reference()}


def test_what_is_published_stays_published() -> None:
    """Of what was said once nothing is lost when a later file is made."""
    codes = [row["value_code"] for row in reference()]
    assert len(set(codes)) == len(codes) >= 64
    for path in (REPOSITORY / "reviewed" / "indicator").glob("*.csv"):
        assert {row["value_code"] for row in csv.DictReader(path.open(encoding="utf-8"))} <= set(codes)


def published_numbers() -> set[str]:
    """Published values as they would be written in code, but for those that may be anything: short or round ones, years."""
    told = {row[field].replace(",", ".") for row in reference() for field in ("numerator", "denominator", "value")}
    whole = {number for number in told if number.isdigit() and len(number) > 2 and number[-1] != "0"}
    return whole | {number for number in told if "." in number}


def knowing(rules: Iterable[Path], told: set[str]) -> list[str]:
    """The files in which one of the numbers stands, however its thousands are grouped."""
    number = re.compile(r"(?<![\w.@-])[0-9][0-9_,]*(?:\.[0-9]+)?(?![\w@-])")
    found = []
    for path in rules:
        words = {word.strip(",").replace(",", "").replace("_", "") for word in number.findall(path.read_text("utf-8"))}
        found += [f"{path.name}: {word}" for word in sorted(words & told)]
    return found


def test_no_model_and_no_rule_knows_a_published_value() -> None:
    project, suites = REPOSITORY / "dbt_project", REPOSITORY / "expectations"
    rules = [
        *(path for folder in ("models", "macros", "tests") for path in (project / folder).rglob("*.sql")),
        *(path for path in (project / "models").rglob("*.yml") if not path.name.endswith("unit_tests.yml")),
        *suites.rglob("*.json"),
        project / "seeds" / "metric_definition.csv",
        project / "seeds" / "published_figure.csv",
    ]
    assert len(rules) > 100
    assert {"64022", "62968", "98.35", "97.15", "375", "386", "857"} <= published_numbers()
    assert knowing(rules, published_numbers()) == []


@pytest.mark.parametrize(
    "text", ["where x > 64022", "abs(share - 98.35)", "64,022 dossiers", "between 375 and n", "1_578"]
)
def test_a_published_value_in_a_rule_would_be_found(text: str, tmp_path: Path) -> None:
    rule = tmp_path / "rule.sql"
    rule.write_text(f"select 1 -- {text}\n", encoding="utf-8")
    assert len(knowing([rule], published_numbers())) == 1
