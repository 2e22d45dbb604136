"""`khochung source check`: what would block a load and what would be set aside is told before anything is loaded."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from khochung import check, cli, contract, postgres
from khochung.contract import Source
from khochung.extract.session import Session
from khochung.settings import Settings
from tests.ingest.toy_gateway import KEY, SECRET, Gateway, running
from tests.ingest.toy_source import make_source

COLUMNS = {"id": "text", "n": "integer", "changed_at": "timestamptz"}
CURSOR: dict[str, Any] = {"load": "cursor", "cursor": "changed_at", "path": "s.thing"}
EVENING = datetime(2025, 9, 30, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    (tmp_path / "as_of").write_text("2025-09-30\n")
    return Settings(tmp_path)


@pytest.fixture
def source_db(server: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection[Any]]:
    postgres.create_databases(server, ["toy_check"])
    dsn = postgres.admin_dsn(server, "toy_check")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("drop schema if exists s cascade; create schema s")
        yield connection


def only(home: Settings, source: Source) -> check.TableCheck:
    [found] = check.check(home, source, source.tables)
    return found


def told(found: check.TableCheck) -> list[tuple[str, str]]:
    return [(problem.kind, problem.text) for problem in found.problems]


def test_a_table_that_is_as_its_contract_says(home: Settings, source_db: psycopg.Connection[Any]) -> None:
    source_db.execute("create table s.thing (id text, n integer, changed_at timestamptz, more text)")
    source_db.execute("insert into s.thing select g, g, %s from generate_series(1, 50) as g", [EVENING])
    source_db.execute("insert into s.thing values ('old', null, %s)", [EVENING - timedelta(days=30)])
    found = only(home, make_source("toy", "database", COLUMNS, **CURSOR)[0])
    assert (found.problems, found.counted, found.sampled, found.new_fields) == ([], 51, 51, ["more"])
    assert (found.changed, found.newest) == (50, EVENING)
    assert [(one.at_source, one.filled, one.misfits) for one in found.columns] == [
        ("text", 51, 0), ("integer", 50, 0), ("timestamp with time zone", 51, 0),
    ]  # fmt: skip


def test_a_column_that_is_gone_blocks_and_the_line_is_named(home: Settings, source_db: psycopg.Connection[Any]) -> None:
    source_db.execute("create table s.thing (id text)")
    found = only(home, make_source("toy", "database", COLUMNS, **CURSOR)[0])
    [(kind, text)] = told(found)
    assert (kind, found.is_blocked) == ("blocks", True)
    assert "s.thing lacks n, changed_at" in text
    land = contract.source("land").tables[0]
    source_db.execute("drop table s.thing; create table s.thing (id integer)")
    moved = land.model_copy(update={"path": "s.thing", "source": "toy"})
    source = contract.source("land").model_copy(update={"name": "toy", "tables": (moved,)})
    [(_, text)] = told(only(home, source))
    assert "s.thing lacks" in text


def test_a_column_of_another_type_blocks(home: Settings, source_db: psycopg.Connection[Any]) -> None:
    source_db.execute("create table s.thing (id text, n text, changed_at timestamptz)")
    source_db.execute("insert into s.thing values ('1', 'Nguyen', %s)", [EVENING])
    found = only(home, make_source("toy", "database", COLUMNS, **CURSOR)[0])
    [(kind, text)] = told(found)
    assert kind == "blocks"
    assert "does not fit n (integer); correct `data_type` in _toy__sources.yml" in text
    assert "Nguyen" not in text


def test_a_cursor_that_stands_still_and_keys_that_repeat(home: Settings, source_db: psycopg.Connection[Any]) -> None:
    source_db.execute("create table s.thing (id text, n integer, changed_at timestamptz)")
    old = EVENING - timedelta(days=30)
    source_db.execute(
        "insert into s.thing values ('1', 1, %s), ('2', 1, %s), ('2', 2, null), ('', 3, null)", [old, old]
    )
    found = only(home, make_source("toy", "database", COLUMNS, **CURSOR)[0])
    assert [kind for kind, _ in told(found)] == ["warns"] * 3
    texts = " ".join(text for _, text in told(found))
    for part in (
        "1 of 4 rows have no key, id",
        "1 of 4 rows repeat a key, id",
        "fresh within 36 hours",
        "nothing changed",
    ):
        assert part in texts
    source_db.execute("update s.thing set changed_at = null")
    assert ("blocks", "cursor changed_at is empty in every row; correct `cursor` in _toy__sources.yml") in told(
        only(home, make_source("toy", "database", COLUMNS, **CURSOR)[0])
    )


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(Session, "_sleep", lambda *_: None)
    with running(Gateway()) as made:
        for name, value in {"URL": made.url, "KEY": KEY, "SECRET": SECRET}.items():
            monkeypatch.setenv(f"KHOCHUNG_SOURCE_TOY_{name}", value)
        yield made


def test_texts_are_held_against_type_and_date_format(home: Settings, gateway: Gateway) -> None:
    days = ["30/09/2025", "31/09/2025", "", "Không rõ", "2025-09-30", None]
    numbers = ["1", "x", "99999999999", None, "4", "5"]
    gateway.rows = [
        {"id": str(n), "n": number, "day": day, "moi": 1}
        for n, (number, day) in enumerate(zip(numbers, days, strict=True))
    ]
    source, table = make_source("toy", "lgsp", {"id": "text", "n": "integer", "day": "text"}, path="/thing")
    columns = tuple(
        column.model_copy(update={"date_format": "dd/MM/yyyy"} if column.name == "day" else {})
        for column in table.columns
    )
    found = only(home, source.model_copy(update={"tables": (table.model_copy(update={"columns": columns}),)}))
    assert [(one.name, one.filled, one.misfits) for one in found.columns] == [("id", 6, 0), ("n", 5, 2), ("day", 3, 2)]
    assert (found.new_fields, found.is_blocked) == (["moi"], False)
    assert "day: 2 of 3 values are no dd/MM/yyyy; correct `date_format`" in told(found)[1][1]
    gateway.rows = [{"id": str(n), "n": "x", "day": None} for n in range(3)]
    assert only(home, source).is_blocked, "hardly any value fits: the contract is wrong, not the rows"


def test_a_source_that_takes_no_notice_of_the_window(home: Settings, gateway: Gateway) -> None:
    gateway.rows = [{"id": str(n), "name": "x", "changed_at": "2020-01-01T00:00:00+07:00"} for n in range(5)]
    source, _ = make_source("toy", "lgsp", load="cursor", cursor="changed_at", path="/thing")
    assert "5 of 5 rows lie outside the window" in " ".join(text for _, text in told(only(home, source)))


def test_files_have_a_day(home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drops = tmp_path / "drops"
    drops.mkdir()
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", str(drops))
    source, _ = make_source("toy", "files", {"id": "text"}, path="thing_*.csv", format={"kind": "csv"})
    assert "no file thing_*.csv" in told(only(home, source))[0][1]
    for number, expected in ((20, ["warns"]), (30, [])):
        path = drops / f"thing_202509{number}.csv"
        path.write_text("id,more\n1,x\n")
        os.utime(path, (0, 0))
        found = only(home, source)
        assert ([kind for kind, _ in told(found)], found.new_fields) == (expected, ["more"])


def test_the_command_says_what_it_found(
    home: Settings, source_db: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = make_source("toy", "database", {"id": "integer"}, path="s.thing")
    monkeypatch.setattr(contract, "source", lambda _: source)
    monkeypatch.setenv("KHOCHUNG_HOME", str(home.home))
    run = CliRunner().invoke
    refused = run(cli.main, ["source", "check", "toy", "thing", "--json"])
    assert refused.exit_code == 1
    [one] = json.loads(refused.output)
    assert (one["table"], one["problems"][0]["kind"]) == ("toy.thing", "blocks")
    source_db.execute("create table s.thing as select 1 as id")
    fine = run(cli.main, ["source", "check", "toy"])
    assert fine.exit_code == 0, fine.output
    for part in (
        "toy.thing (snapshot)",
        "s.thing: 1 rows",
        "integer",
        "not in the contract: none",
        "nothing stands in",
    ):
        assert part in fine.output
