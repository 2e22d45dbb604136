"""Days of the past are read again through the code of every day, and leave no trace but what was missing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from khochung import ingest, load, postgres
from khochung.contract import Source, Table
from khochung.errors import ConfigurationError
from khochung.settings import Settings
from tests.ingest.toy_source import Lab

NOON = datetime(2025, 9, 1, 5, tzinfo=UTC)  # in Việt Nam


@pytest.fixture
def day(lab: Lab) -> Iterator[Any]:
    """Sets the business day."""
    yield lambda number: lab.settings.pinned_day.write_text(f"2025-09-{number:02}\n")
    lab.settings.pinned_day.unlink(missing_ok=True)


@pytest.fixture
def toy(server: Settings, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Source, Table, Any]]:
    """A cursor table in a source database, with one row of each day from September 1 to 9."""
    postgres.create_databases(server, ["toy_backfill"])
    dsn = postgres.admin_dsn(server, "toy_backfill")
    table = lab.table(load="cursor", cursor="changed_at", overlap_hours=24, path="public.thing")
    monkeypatch.setenv(f"KHOCHUNG_SOURCE_{table.source.upper()}_DSN", dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "drop table if exists thing; create table thing (id text, name text, changed_at timestamptz)"
        )
        for number in range(9):
            connection.execute("insert into thing values (%s, 'x', %s)", [str(number), NOON + timedelta(days=number)])
        yield lab.contracts[table.source], table, connection


def read(lab: Lab, source: Source, table: Table, number: int) -> load.Counts:
    [(_, counts)] = ingest.ingest_table(lab.settings, source, table, date(2025, 9, number))
    assert counts is not None
    return counts


def again(lab: Lab, source: Source, table: Table, first: int, last: int) -> list[load.Counts | None]:
    loads = ingest.backfill(lab.settings, source, table, date(2025, 9, first), date(2025, 9, last))
    return [counts for _, counts in loads]


def test_a_window_is_read_again_and_nothing_is_doubled(lab: Lab, toy: tuple[Source, Table, Any], day: Any) -> None:
    source, table, at_source = toy
    for number in (7, 8, 9):
        day(number)
        read(lab, source, table, number)
    state = lab.state(table)
    [counts] = again(lab, source, table, 2, 4)
    assert counts is not None
    assert (counts.extracted, counts.unchanged, counts.changed) == (3, 3, 0)
    after = lab.state(table)
    assert (after.current, after.history, after.watermark) == (state.current, state.history, state.watermark)
    # What the overlap could not see: a row written late, with a time long past.
    at_source.execute("insert into thing values ('late', 'x', %s)", [NOON + timedelta(days=2)])
    assert read(lab, source, table, 9).inserted == 0
    [counts] = again(lab, source, table, 3, 3)
    assert counts is not None
    assert (counts.extracted, counts.inserted) == (2, 1)
    assert lab.state(table).watermark == state.watermark


def test_a_backfill_does_not_hide_days_that_nobody_has_read(lab: Lab, toy: tuple[Source, Table, Any], day: Any) -> None:
    source, table, _ = toy
    day(9)
    again(lab, source, table, 4, 5)
    assert lab.state(table).watermark is None, "the first normal read takes everything"
    assert read(lab, source, table, 6).current == 6
    again(lab, source, table, 8, 9)
    mark = lab.state(table).watermark
    assert mark is not None
    assert mark.astimezone(UTC).date() == date(2025, 9, 6), "day 7 is still to be read"
    assert read(lab, source, table, 9).current == 9


@pytest.mark.parametrize(("first", "last"), [(4, 3), (8, 10)])
def test_days_that_cannot_be_read(lab: Lab, toy: tuple[Source, Table, Any], day: Any, first: int, last: int) -> None:
    source, table, _ = toy
    day(9)
    with pytest.raises(ConfigurationError, match=r"no days to read from .* up to 2025-09-09"):
        again(lab, source, table, first, last)


def test_the_day_does_not_go_back(lab: Lab, toy: tuple[Source, Table, Any], day: Any) -> None:
    source, table, _ = toy
    day(8)
    read(lab, source, table, 8)
    read(lab, source, table, 8)
    state = lab.state(table)
    with pytest.raises(ConfigurationError, match=r"business day is 2025-09-07, and 2025-09-08 is loaded.*backfill"):
        read(lab, source, table, 7)
    assert lab.state(table) == state


def test_a_clock_that_runs_ahead_reads_nothing(lab: Lab, toy: tuple[Source, Table, Any]) -> None:
    source, table, _ = toy
    with pytest.raises(ConfigurationError, match=r"business day is 2999-01-01, but the warehouse's server has 20"):
        ingest.extract(lab.settings, source, table, date(2999, 1, 1))
    assert lab.ledger(table) == []


@contextmanager
def drops(lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> Iterator[tuple[Source, Table]]:
    table = lab.table({"id": "text", "name": "text"}, load=mode, path="thing_*.csv", format={"kind": "csv"})
    lab.contracts[table.source] = source = lab.contracts[table.source].model_copy(update={"connector": "files"})
    monkeypatch.setenv(f"KHOCHUNG_SOURCE_{table.source.upper()}_FOLDER", str(folder))
    yield source, table


def drop(folder: Path, number: int, name: str) -> None:
    path = folder / f"thing_202509{number:02}.csv"
    path.write_text(f"id,name\n1,{name}\n{number},own\n")

    os.utime(path, (0, 0))


@pytest.mark.parametrize("mode", ["append", "snapshot"])
def test_files_are_read_again_and_the_newest_stands(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: Any, mode: str
) -> None:
    for number in (2, 3, 4):
        drop(tmp_path, number, f"day {number}")
    day(5)
    with drops(lab, tmp_path, monkeypatch, mode) as (source, table):
        list(ingest.ingest_table(lab.settings, source, table, date(2025, 9, 5)))
        current = lab.state(table).current
        assert ("1", "day 4", False) in current
        loads = again(lab, source, table, 3, 3)
        assert len(loads) == {"append": 2, "snapshot": 0}[mode], "the file of day 3 and the one behind it"
        assert lab.state(table).current == current


@pytest.mark.parametrize(
    ("run_type", "at", "schedule", "days"),
    [
        ("scheduled", "2025-09-03T18:00:00Z", "0 1 * * *", None),
        ("manual", "2025-09-03T18:00:00Z", "0 1 * * *", None),
        ("backfill", "2025-09-03T18:00:00Z", "0 1 * * *", (4, 4)),  # 01:00 on the 4th in Việt Nam
        ("backfill", "2025-09-03T17:00:00Z", "0 0 * * *", (4, 4)),
        ("backfill", "2025-09-08T18:00:00Z", "0 1 * * 2", (3, 9)),  # Tuesdays
        ("backfill", "2025-09-08T18:00:00Z", "0 * * * *", (9, 9)),
    ],
)
def test_the_days_of_an_airflow_run(run_type: str, at: str, schedule: str, days: tuple[int, int] | None) -> None:
    expected = tuple(date(2025, 9, number) for number in days) if days else None
    assert ingest.days_of_run(run_type, datetime.fromisoformat(at), schedule) == expected


def test_the_ticks_of_a_month_leave_no_day_out() -> None:
    ticks = [datetime(2025, 9, number, 18, tzinfo=UTC) for number in range(1, 31)]
    days = [ingest.days_of_run("backfill", tick, "0 1 * * *") for tick in ticks]
    assert days == [(day := (tick + timedelta(hours=7)).date(), day) for tick in ticks]
