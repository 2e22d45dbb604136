"""Code lists: one per source and column, with a meaning for every code that a source sends."""

import csv
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dbt_fixture import run

from khochung import contract
from khochung.settings import REPOSITORY, Settings

Query = Callable[..., list[tuple[Any, ...]]]


def lists() -> set[tuple[str, str]]:
    """(source, code list) of every entry of the seed."""
    with (REPOSITORY / "dbt_project" / "seeds" / "source_code.csv").open(encoding="utf-8", newline="") as handle:
        return {(row["source_name"], row["code_list"]) for row in csv.DictReader(handle)}


def test_every_code_list_of_a_contract_has_entries_and_no_list_is_left_over() -> None:
    declared = {
        (source.name, column.code_list)
        for source in contract.sources().values() for table in source.tables for column in table.columns
        if column.code_list
    }  # fmt: skip
    assert declared == lists()


def test_every_code_of_the_hand_made_province_has_a_meaning(query: Query) -> None:
    codes = query(
        "select count(*), count(conformed_code), count(distinct (table_name, field)) from quality.code_in_use"
    )
    assert codes[0][0] == codes[0][1] > 20
    used = dict(
        query(
            "select code, records from quality.code_in_use where source_name = 'procedures' and field = 'channel_code'"
        )
    )
    assert used == {"2": 25}


@pytest.fixture
def other_list(query: Query) -> Iterator[None]:
    """Every resident's sex in codes that nobody has announced; taken back afterwards."""
    change = "with c as (update raw.population__resident set sex_code = {} returning 1) select count(*) > 20 from c"
    assert query(change.format("'M' || sex_code"), "loader") == [(True,)]
    yield
    assert query(change.format("substr(sex_code, 2)"), "loader") == [(True,)]


@pytest.mark.usefixtures("other_list")
def test_a_list_that_was_changed_at_the_source_stops_the_build(built: Settings, query: Query) -> None:
    assert run(built, "run", "--select", "code_in_use", build_id=0) == 0
    assert run(built, "test", "--select", "assert_every_code_is_mapped", build_id=0) == 0, "only a warning"
    assert run(built, "test", "--select", "assert_no_code_list_was_replaced", build_id=0) == 1
    unmapped = query("select field, code from quality.code_in_use where conformed_code is null order by code")
    assert unmapped == [("sex_code", "M1"), ("sex_code", "M2")]
