"""Published values as data: word for word, each under its own province, and read by nothing that computes."""

import csv
from collections.abc import Callable
from typing import Any

import pytest
from dbt_fixture import REVIEWED

from khochung import figures, transform
from khochung.settings import Settings

Query = Callable[..., list[tuple[Any, ...]]]
SOURCE = "source.khochung.indicator.published_value"


def said() -> list[dict[str, str]]:
    return list(csv.DictReader(max(REVIEWED.glob("*.csv")).read_text(encoding="utf-8").splitlines()))


def test_values_are_as_printed_with_their_decimals(query: Query) -> None:
    found = query(
        "select value_code, replace(value::text, '.', ',') from marts.fct_published_value "
        "union all select value_code, replace(value::text, '.', ',') from marts.fct_published_value_elsewhere"
    )
    assert len(found) > 60
    assert dict(found) == {row["value_code"]: row["value"] for row in said()}


def test_another_province_is_nowhere_among_the_own_values(query: Query) -> None:
    own, elsewhere = (
        {code for (code,) in query(f"select value_code from marts.{mart}")}
        for mart in ("fct_published_value", "fct_published_value_elsewhere")
    )
    assert elsewhere == {row["value_code"] for row in said() if row["province_code"] == "93"}
    assert own == {row["value_code"] for row in said() if row["province_code"] == "80"}
    places = query("select distinct place_key from marts.fct_published_value")
    assert places == [("TINH-80@2004-01-01",)]  # Long An, not the province that bears its code now
    public = query("select value_code from open_data.published_indicators", "publisher")
    assert {code for (code,) in public} == own
    assert query("select count(*) from marts.fct_published_comparison where is_elsewhere and computed is not null") == [
        (0,)
    ]


def test_the_two_targets_for_one_year_stand_side_by_side(built: Settings) -> None:
    pairs = {(pair.code, pair.other): pair for pair in figures.disagreements(built)}
    targets = pairs["digital_economy_grdp_target_2025", "digital_economy_grdp_target_2025_plan"]
    assert targets.rule == "same moment" and targets.why_vi and targets.why_en
    assert [pair for pair in pairs.values() if not pair.why_vi] == [], "somebody has to say why these differ"
    shown = {figure.code: figure for figure in figures.figures(built)}
    assert shown[targets.code].plan != shown[targets.other].plan


def test_every_value_of_the_reviewed_file_is_shown(built: Settings) -> None:
    found = {figure.code: figure for figure in figures.figures(built)}
    assert found.keys() == {row["value_code"] for row in said()}
    assert all(figure.source for figure in found.values())
    assert found["services_full_online"].metric_version == "procedures_fully_online/press"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return transform.manifest(Settings(tmp_path_factory.mktemp("manifest")))


def descendants(manifest: dict[str, Any], origin: str) -> set[str]:
    """Names of the models that read it, at any remove."""
    found, waiting = set(), [origin]
    while waiting:
        fresh = [child for child in manifest["child_map"][waiting.pop()] if child.startswith("model.")]
        waiting += [child for child in fresh if child not in found]
        found.update(fresh)
    return {name.split(".")[-1] for name in found}


def test_nothing_that_computes_reads_a_published_value(manifest: dict[str, Any]) -> None:
    """What is told to the public or held beside our own figures; never a metric, another mart or another dataset."""
    quality = {"issue_found", "issue", "quarantine", "reconciliation", "code_in_use"}
    own = {
        "base_indicator__published_value", "stg_indicator__published_value", "fct_published_value",
        "fct_published_value_elsewhere", "fct_published_disagreement", "fct_published_comparison", "published_indicators",
    }  # fmt: skip
    assert own <= descendants(manifest, SOURCE) <= own | quality
