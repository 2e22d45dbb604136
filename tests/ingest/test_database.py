"""The database connector: values arrive exactly, windows meet without a gap, and nothing at the source is changed."""

import json
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khochung import ingest, landing, load, postgres
from khochung.errors import ConfigurationError, ContractError, SourceRefusedError, SourceUnavailableError
from khochung.extract import Delivery, Window, database, open_delivery, typed_schema
from khochung.extract.database import session
from khochung.replay import replay
from khochung.settings import Settings
from tests.ingest.toy_source import Lab, make_source

AT = datetime(2025, 9, 1, 17, tzinfo=UTC)  # midnight in Việt Nam
WINDOW = Window(date(2025, 9, 1), None, AT)
KINDS = {
    "id": "integer", "big": "bigint", "share": "double precision", "exact": "numeric", "yes": "boolean", "day": "date",
    "local": "timestamp", "at": "timestamptz", "ref": "uuid", "doc": "jsonb", "words": "text",
}  # fmt: skip
VALUES: dict[str, Any] = {
    "id": 1, "big": 2**53 + 1, "share": 0.1 + 0.2, "exact": "12345678901234567890.1200", "yes": False,
    "day": date(1945, 9, 2), "local": datetime(2025, 9, 1, 1, 2, 3, 456789), "at": AT,
    "ref": uuid.UUID("6f9619ff-8b86-d011-b42d-00cf4fc964ff"), "doc": json.dumps({"a": 'x"y', "b": "1,2"}), "words": 'Ánh, "quoted"\nhai dòng',
}  # fmt: skip


@pytest.fixture
def source_db(server: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection[Any]]:
    """An empty source database, its address in the environment."""
    postgres.create_databases(server, ["toy_source"])
    dsn = postgres.admin_dsn(server, "toy_source")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("drop schema if exists s cascade; create schema s")
        yield connection


def read(columns: dict[str, str], window: Window = WINDOW, **options: Any) -> tuple[list[dict[str, Any]], Delivery]:
    source, table = make_source("toy", "database", columns, **({"path": "s.thing"} | options))
    with open_delivery(source, table, window, frozenset()) as deliveries:
        return [row for batch in deliveries[0].batches for row in batch.to_pylist()], deliveries[0]


def make(source_db: psycopg.Connection[Any], columns: dict[str, str]) -> None:
    source_db.execute(f"create table s.thing ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")


def test_values_arrive_and_load_exactly(source_db: psycopg.Connection[Any], lab: Lab) -> None:
    make(source_db, KINDS)
    marks = ", ".join(["%s"] * len(KINDS))
    source_db.execute(f"insert into s.thing values ({marks})", list(VALUES.values()))
    source_db.execute("insert into s.thing (id) values (2)")
    source_db.execute("insert into s.thing (id, words) values (3, '')")
    rows, delivery = read(KINDS)
    assert delivery.counted == 3
    assert rows[0] == VALUES
    assert set(list(rows[1].values())[1:]) == {None}
    assert (rows[1]["words"], rows[2]["words"]) == (None, ""), "NULL is not an empty text"

    table = lab.table(KINDS, path="s.thing")
    with database.read(make_source("toy", "database")[0], table, WINDOW, frozenset()) as deliveries:
        load.load(lab.settings, landing.write(lab.settings, table, WINDOW, deliveries[0]))
    held = "select to_jsonb(t) from (select id, big, share, exact, yes, day, local, at, ref, doc, words from {}) as t order by id"
    kept = lab.query(held.format(f"raw.{table.relation}").replace("exact,", "exact::text,"))
    assert kept == source_db.execute(held.format("s.thing").replace("exact,", "exact::text,")).fetchall()


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
def test_a_window_holds_its_start_and_not_its_end(source_db: psycopg.Connection[Any], kind: str) -> None:
    columns = {"id": "integer", "changed_at": kind}
    make(source_db, columns)
    source_db.execute("set timezone = 'Asia/Ho_Chi_Minh'")
    start, tick = AT - timedelta(days=1), timedelta(microseconds=1)
    for number, moment in enumerate([start - tick, start, AT - tick, AT, None]):
        source_db.execute("insert into s.thing values (%s, %s::timestamptz)", [number, moment])
    options = {"load": "cursor", "cursor": "changed_at"}
    rows, delivery = read(columns, Window(WINDOW.as_of, start, AT), **options)
    assert ([row["id"] for row in rows], delivery.counted) == ([1, 2], 2)
    rows, _ = read(columns, WINDOW, **options)
    assert [row["id"] for row in rows] == [0, 1, 2, 4], "the first read takes rows without a cursor too"


def test_an_empty_table_and_unknown_columns(source_db: psycopg.Connection[Any]) -> None:
    make(source_db, {"id": "integer", "extra": "text"})
    rows, delivery = read({"id": "integer"})
    assert (rows, delivery.counted, delivery.unknown_fields) == ([], 0, {"extra"})


def test_what_the_contract_promises_and_the_database_lacks(source_db: psycopg.Connection[Any]) -> None:
    with pytest.raises(ContractError, match=r"toy\.thing: the database lacks the table s\.thing;.*_toy__sources"):
        read({"id": "integer"})
    make(source_db, {"id": "integer"})
    with pytest.raises(ContractError, match=r"toy\.thing: s\.thing lacks name;"):
        read({"id": "integer", "name": "text"})


def test_a_value_out_of_type_names_the_column_and_not_the_value(source_db: psycopg.Connection[Any]) -> None:
    make(source_db, {"id": "integer", "n": "text"})
    source_db.execute("insert into s.thing values (1, 'Nguyen')")
    with pytest.raises(ContractError, match=r"does not fit n \(integer\)") as caught:
        read({"id": "integer", "n": "integer"})
    assert "Nguyen" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_we_only_read(source_db: psycopg.Connection[Any]) -> None:
    source_db.execute("create function s.write() returns int language sql as 'create table s.trace (); select 1'")
    source_db.execute("create view s.thing as select s.write() as id")
    with pytest.raises(SourceUnavailableError, match="25006"):
        read({"id": "integer"})
    assert source_db.execute("select to_regclass('s.trace'), to_regclass('trace')").fetchone() == (None, None)


@pytest.mark.parametrize("value", ["infinity", "-infinity", "0044-03-15 BC"])
@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_a_day_outside_the_calendar_names_the_column(source_db: psycopg.Connection[Any], kind: str, value: str) -> None:
    make(source_db, {"id": "integer", "d": kind})
    source_db.execute("insert into s.thing values (1, %s)", [value])
    with pytest.raises(ContractError, match=rf"does not fit d \({kind}\)"):
        read({"id": "integer", "d": kind})


def test_a_source_that_breaks_off_is_told_without_its_rows(source_db: psycopg.Connection[Any]) -> None:
    source_db.execute("create table s.plain as select 1 as id, 'Nguyen' as name union all select 0, 'Nguyen'")
    source_db.execute("create view s.thing as select id, name, 1 / id as share from s.plain")
    with pytest.raises(
        SourceUnavailableError, match=r"toy\.thing: .* ended early: SQLSTATE 22012 .*; run it again"
    ) as caught:
        read({"id": "integer", "name": "text", "share": "integer"})
    assert "Nguyen" not in str(caught.value)


def test_the_count_and_the_rows_are_of_one_moment(source_db: psycopg.Connection[Any]) -> None:
    make(source_db, {"id": "integer"})
    source_db.execute("insert into s.thing values (1)")
    source, table = make_source("toy", "database", {"id": "integer"}, path="s.thing")
    with open_delivery(source, table, WINDOW, frozenset()) as deliveries:
        source_db.execute("insert into s.thing values (2)")
        assert sum(batch.num_rows for batch in deliveries[0].batches) == deliveries[0].counted == 1


def test_an_account_without_rights(source_db: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    make(source_db, {"id": "integer"})
    dsn = f"postgresql://khochung_publisher@/toy_source?host={source_db.info.host}"
    source_db.execute("grant usage on schema s to khochung_publisher")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", dsn)
    with pytest.raises(SourceRefusedError, match=r"may not read s\.thing"):
        read({"id": "integer"})


@pytest.mark.parametrize(
    ("change", "kind"),
    [(("postgres@", "nobody@"), SourceRefusedError), (("toy_source", "no_db"), SourceRefusedError)],
)
def test_an_address_that_is_refused(
    source_db: psycopg.Connection[Any],
    server: Settings,
    monkeypatch: pytest.MonkeyPatch,
    change: tuple[str, str],
    kind: type,
) -> None:
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", postgres.admin_dsn(server, "toy_source").replace(*change))
    with pytest.raises(kind, match=r"source toy: .*does not exist; check KHOCHUNG_SOURCE_TOY_DSN"):
        read({"id": "integer"})


def test_a_wrong_password(
    source_db: psycopg.Connection[Any], server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other tests come in by trust; here the server asks for the password."""
    source_db.execute("drop role if exists toy_reader; create role toy_reader login password 'the right one'")
    rules = server.postgres / "data" / "pg_hba.conf"
    before = rules.read_text(encoding="utf-8")
    rules.write_text("local all toy_reader scram-sha-256\n" + before, encoding="utf-8")
    try:
        source_db.execute("select pg_reload_conf()")
        address = postgres.admin_dsn(server, "toy_source").replace("postgres@", "toy_reader:a%20wrong%20one@")
        monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", address)
        with pytest.raises(
            SourceRefusedError, match=r"password authentication failed.*KHOCHUNG_SOURCE_TOY_DSN"
        ) as caught:
            read({"id": "integer"})
        assert "wrong one" not in str(caught.value)
    finally:
        rules.write_text(before, encoding="utf-8")
        source_db.execute("select pg_reload_conf()")


def test_a_database_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", "postgresql://x:secret@127.0.0.1:1/x")
    with pytest.raises(SourceUnavailableError, match="check KHOCHUNG_SOURCE_TOY_DSN") as caught:
        read({"id": "integer"})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["db2://x:secret@h/x", "mysql:x:secret@h", "secret"])
def test_an_address_of_no_known_scheme(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", address)
    with pytest.raises(ConfigurationError, match=r"KHOCHUNG_SOURCE_TOY_DSN .*: postgresql://, .*mysql://") as caught:
        read({"id": "integer"})
    assert "secret" not in str(caught.value)


def test_a_column_of_nothing_but_null_loses_no_row(source_db: psycopg.Connection[Any]) -> None:
    make(source_db, {"id": "integer"})
    source_db.execute("insert into s.thing values (null), (1), (null)")
    assert [row["id"] for row in read({"id": "integer"})[0]] == [None, 1, None]


def test_whoever_leaves_early_leaves_nothing_behind(source_db: psycopg.Connection[Any]) -> None:
    source_db.execute(
        "create table s.thing as select id, repeat('x', 150) as words from generate_series(1, 100000) as id"
    )
    before = threading.active_count()
    source, table = make_source("toy", "database", {"id": "integer", "words": "text"}, path="s.thing")
    with open_delivery(source, table, WINDOW, frozenset()) as [delivery]:
        assert next(delivery.batches).num_rows < 100_000
    assert threading.active_count() == before


def test_columns_that_the_contract_does_not_know_are_filled_in_when_it_does(
    source_db: psycopg.Connection[Any], server: Settings, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(source_db, KINDS | {"extra": "text"})
    marks = ", ".join(["%s"] * (len(KINDS) + 1))
    source_db.execute(f"insert into s.thing values ({marks})", [*VALUES.values(), None])
    source_db.execute("insert into s.thing (id, extra) values (2, 'x')")
    table = lab.table({"id": "integer"}, path="s.thing")
    address = postgres.admin_dsn(server, "toy_source")
    monkeypatch.setenv(f"KHOCHUNG_SOURCE_{table.source.upper()}_DSN", address)
    list(ingest.ingest_table(lab.settings, lab.contracts[table.source], table, date(2025, 9, 1)))
    assert lab.query("select unknown_fields from ops.load where source_name = %s", table.source) == [
        (sorted([*KINDS, "extra"][1:]),)
    ]
    source_db.execute("drop table s.thing")
    _, whole = make_source(table.source, "database", KINDS | {"extra": "text"}, path="s.thing")
    wider = lab.declare(table, columns=[column.model_dump() for column in whole.columns])
    assert [counts.inserted for _, counts in replay(lab.settings, wider) if counts] == [2]
    names = ", ".join(f'"{name}"' for name in KINDS if name != "exact")
    held = lab.query(f"select {names}, exact::text, extra from raw.{table.relation} order by id")
    expected = VALUES | {"doc": json.loads(VALUES["doc"])}
    exact = expected.pop("exact")
    assert held == [(*expected.values(), exact, None), (2, *[None] * (len(KINDS) - 1), "x")]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_rows_are_whole_wherever_the_blocks_are_cut(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """With a newline or a quote inside of a text, and a boundary wanted after every block."""
    monkeypatch.setattr(session, "BLOCK_BYTES", 1)
    _, table = make_source("toy", "database", {"id": "integer", "words": "text"})
    text = b'1,"a\n""b""\n"\n2,\n3,""\n4,"""\n"""\n'
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    rows = [row for batch in session.parse_csv(blocks, table, typed_schema(table)) for row in batch.to_pylist()]
    assert [(row["id"], row["words"]) for row in rows] == [(1, 'a\n"b"\n'), (2, None), (3, ""), (4, '"\n"')]
