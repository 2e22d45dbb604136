"""Published beside computed: how they are compared, and that the published ones stay where they are."""

import csv
from decimal import Decimal
from importlib.resources import files

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


def test_a_share_over_nothing_is_no_share() -> None:
    assert figures._value(Decimal(0), Decimal(0), "percent") is None
    assert figures._value(Decimal(1578), Decimal(1850), "percent") == Decimal("85.30")
    assert figures._value(Decimal(857), None, "count") == Decimal(857)


def reference() -> list[dict[str, str]]:
    text = files("khochung").joinpath("reference/published_figures.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_every_metric_that_is_named_is_defined() -> None:
    seed = REPOSITORY / "dbt_project" / "seeds" / "metric_definition.csv"
    with seed.open(encoding="utf-8") as stream:
        defined = {(row["metric_code"], row["metric_version"]) for row in csv.DictReader(stream)}
    named = {(row["metric_code"], row["metric_version"]) for row in reference() if row["metric_code"]}
    assert named
    assert named <= defined


def test_no_model_and_no_rule_knows_a_published_value() -> None:
    """Counts of more than three digits are searched for: a smaller number may be anything."""
    told = {row[field] for row in reference() for field in ("numerator", "denominator", "value") if len(row[field]) > 3}
    told = {number for number in told if number.isdigit()}
    assert {"64022", "62968"} <= told
    rules = [
        path
        for folder in ("models", "macros", "seeds")
        for path in (REPOSITORY / "dbt_project" / folder).rglob("*")
        if (path.suffix in (".sql", ".yml") and "unit_tests" not in path.name) or path.name == "metric_definition.csv"
    ]
    assert len(rules) > 50
    words = {path: set(path.read_text(encoding="utf-8").replace(",", "").replace("_", "").split()) for path in rules}
    assert [path.name for path, found in words.items() if told & found] == []
