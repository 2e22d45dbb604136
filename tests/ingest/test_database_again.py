"""A table of a database that is read whole once more: what has not changed is neither sent nor landed again."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from khochung import ingest, landing, load, postgres
from khochung.contract import Table
from khochung.extract.database import postgresql
from khochung.settings import Settings
from tests.ingest.toy_source import Lab

FIRST = date(2025, 9, 1)
COLUMNS = {"id": "integer", "name": "text", "share": "double precision", "exact": "numeric", "day": "date"}
ROWS = [(1, "Ánh", 0.0, "1.0", FIRST), (2, "ánh", 0.5, "2.0", FIRST), (3, None, None, None, None)]
CHANGES = {
    "a text": "update s.thing set name = 'anh' where id = 2",
    "the form of a text": "update s.thing set name = normalize(name, NFD) where id = 1",
    "a missing text": "update s.thing set name = '' where id = 3",
    "two texts for each other": "update s.thing set name = case id when 1 then 'ánh' else 'Ánh' end where id < 3",
    "a zero's sign": "update s.thing set share = '-0' where id = 1",
    "a number's digits": "update s.thing set exact = 1.00 where id = 1",
    "a row more": "insert into s.thing (id) values (4)",
    "a row less": "delete from s.thing where id = 3",
    "one row for another": "update s.thing set id = 4 where id = 3",
    "what no contract knows": "update s.thing set extra = 'x' where id = 3",
    "a field that no contract knows": "alter table s.thing add another text default 'x'",
}


@pytest.fixture
def thing(
    server: Settings, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[psycopg.Connection[Any], Table]]:
    """A table at its source, loaded on two days."""
    postgres.create_databases(server, ["toy_source"])
    address = postgres.admin_dsn(server, "toy_source")
    table = lab.table(COLUMNS, path="s.thing")
    monkeypatch.setenv(f"KHOCHUNG_SOURCE_{table.source.upper()}_DSN", address)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("drop schema if exists s cascade; create schema s")
        connection.execute(
            "create table s.thing (id integer, name text, share float8, exact numeric, day date, extra text)"
        )
        connection.cursor().executemany("insert into s.thing values (%s, %s, %s, %s, %s)", ROWS)
        for day in range(2):
            take(lab, table, day)
        yield connection, table


def take(lab: Lab, table: Table, day: int) -> load.Counts:
    """Ingest as on that day after the first."""
    loads = ingest.ingest_table(lab.settings, lab.contracts[table.source], table, FIRST + timedelta(days=day))
    [(_, counts)] = loads
    assert counts
    return counts


def files(lab: Lab, table: Table) -> set[str]:
    return {str(path) for path in (lab.settings.landing / table.source).rglob("*.parquet")}


def held(lab: Lab, table: Table) -> list[tuple[Any, ...]]:
    """Every value as it is spelled, so that 1.0 is not 1.00."""
    return lab.query(
        f"select to_jsonb(t) - '_loaded_at' - '_load_id', exact::text from raw.{table.relation} as t order by id"
    )


def nothing_is_sent(*_: Any) -> Iterator[Any]:
    raise AssertionError("the rows were asked for")
    yield


def test_what_has_not_changed_is_not_sent_again(
    thing: tuple[psycopg.Connection[Any], Table], lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, table = thing
    before, landed = held(lab, table), files(lab, table)
    with monkeypatch.context() as patched:
        patched.setattr(postgresql.PostgreSQL, "batches", nothing_is_sent)
        counts = take(lab, table, 2)
    assert (counts.extracted, counts.unchanged, counts.changed, counts.current) == (3, 3, 0, 3)
    assert (held(lab, table), files(lab, table)) == (before, landed)
    said = lab.query(
        "select as_of, source_rows, extracted_rows, unchanged_rows, landing_file from ops.load where source_name = %s "
        "order by load_id desc limit 2", table.source,
    )  # fmt: skip
    assert [row[:4] for row in said] == [(FIRST + timedelta(days=2), 3, 3, 3), (FIRST + timedelta(days=1), 3, 3, 3)]
    assert said[0][4] == said[1][4], "the file of the day before"
    assert [len(landing.loaded(lab.settings, table.source, table.name))] == [3], "a replay knows of that day too"


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_is_noticed(thing: tuple[psycopg.Connection[Any], Table], lab: Lab, statement: str) -> None:
    source, table = thing
    take(lab, table, 2)
    landed = files(lab, table)
    source.execute(statement)
    take(lab, table, 3)
    assert len(files(lab, table) - landed) == 1
    names = ", ".join(COLUMNS)
    kept = lab.query(
        f"select {names}, exact::text, share::text from raw.{table.relation} where _deleted_at is null order by id"
    )
    assert kept == source.execute(f"select {names}, exact::text, share::text from s.thing order by id").fetchall()


def test_a_file_that_was_altered_is_landed_again(thing: tuple[psycopg.Connection[Any], Table], lab: Lab) -> None:
    _, table = thing
    take(lab, table, 2)
    for path in map(lab.settings.landing.joinpath, files(lab, table)):
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert take(lab, table, 3).unchanged == 3
    assert [landing.is_whole(lab.settings, each) for each in landing.loaded(lab.settings, table.source, table.name)] == [
        *(False, False, False), True,
    ]  # fmt: skip


def test_after_a_load_of_other_rows_the_table_is_read(thing: tuple[psycopg.Connection[Any], Table], lab: Lab) -> None:
    source, table = thing
    source.execute("update s.thing set name = 'x' where id = 1")
    take(lab, table, 2)
    source.execute("update s.thing set name = 'Ánh' where id = 1")
    assert take(lab, table, 3).updated == 1, "as on the second day, but not as on the day before"


def test_an_old_server_has_no_checksum(
    thing: tuple[psycopg.Connection[Any], Table], lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, table = thing
    monkeypatch.setattr(postgresql, "HASHES_ROWS", 99)
    landed = files(lab, table)
    assert take(lab, table, 2).unchanged == 3
    assert len(files(lab, table) - landed) == 1
