"""MySQL and MariaDB sources, against a real MariaDB: exact values, one snapshot, TLS, and faults told apart."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from khochung import landing, load
from khochung.errors import ConfigurationError, ContractError, SourceRefusedError, SourceUnavailableError
from khochung.extract import Delivery, Window, open_delivery
from khochung.extract.database import mysql
from tests.ingest.toy_mariadb import MariaDB, running
from tests.ingest.toy_source import Lab, make_source

AT = datetime(2025, 9, 1, 17, tzinfo=UTC)  # midnight in Việt Nam
WINDOW = Window(date(2025, 9, 1), None, AT)
Columns = dict[str, str]


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDB]:
    with running() as server:
        yield server


@pytest.fixture
def run(mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Runs statements as the owner of an empty schema `s`; its address is in the environment."""
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", mariadb.dsn())
    with mariadb.admin() as connection, connection.cursor() as cursor:
        cursor.execute("drop database s")
        cursor.execute("create database s character set utf8mb4")
        cursor.execute("use s")

        def execute(statement: str, *values: Any) -> tuple[Any, ...]:
            cursor.execute(statement, values or None)
            return tuple(cursor.fetchall())

        yield execute


def opened(columns: Columns, window: Window = WINDOW, **options: Any) -> Any:
    source, table = make_source("toy", "database", columns, **({"path": "s.thing"} | options))
    return open_delivery(source, table, window, frozenset())


def read(columns: Columns, window: Window = WINDOW, **options: Any) -> tuple[list[dict[str, Any]], Delivery]:
    with opened(columns, window, **options) as deliveries:
        return [row for batch in deliveries[0].batches for row in batch.to_pylist()], deliveries[0]


# name: (type at the source, type in the contract, value as SQL, what lands)
VALUES: dict[str, tuple[str, str, str, Any]] = {
    "id": ("int", "integer", "-2147483648", -2147483648),
    "big": ("bigint", "bigint", "-9223372036854775808", -(2**63)),
    "huge": ("bigint unsigned", "numeric", "18446744073709551615", "18446744073709551615"),
    "padded": ("int(8) unsigned zerofill", "bigint", "42", 42),
    "exact": ("decimal(38,10)", "numeric", "1234567890123456789012345678.0123456700", "1234567890123456789012345678.0123456700"),
    "double_": ("double", "double precision", "0.1e0 + 0.2e0", 0.1 + 0.2),
    "tiny_double": ("double", "double precision", "5e-324", 5e-324),
    "float_": ("float", "double precision", "16777217.0 / 3", 5592405.5),
    "yes": ("tinyint(1)", "boolean", "1", "1"),
    "odd": ("tinyint(1)", "integer", "2", 2),
    "bits": ("bit(64)", "numeric", "0xFFFFFFFFFFFFFFFF", "18446744073709551615"),
    "day": ("date", "date", "'1945-09-02'", "1945-09-02"),
    "no_day": ("date", "date", "'0000-00-00'", "0000-00-00"),
    "no_month": ("date", "text", "'2025-00-00'", "2025-00-00"),
    "local": ("datetime(6)", "timestamp", "'2025-09-01 01:02:03.456789'", "2025-09-01 01:02:03.456789"),
    "moment": ("timestamp(6) null", "timestamptz", "from_unixtime(1756746000.000001)", "2025-09-02 00:00:00.000001+07:00"),
    "moment_local": ("timestamp null", "timestamp", "from_unixtime(1756746000)", "2025-09-02 00:00:00"),
    "hours": ("time", "text", "'-838:59:59'", "-838:59:59"),
    "year_": ("year", "integer", "1901", 1901),
    "words": ("varchar(200) character set utf8mb4", "text", "'Ánh, \"quoted\"\\n\\\\hai dòng 🏡\\r\\n'", 'Ánh, "quoted"\n\\hai dòng 🏡\r\n'),
    "old": ("varchar(20) character set latin1 collate latin1_bin", "text", "'Pha\u00cdi'", "PhaÍi"),
    "tcvn3": ("varchar(20) character set latin1", "text", "0xB8B5B6", "¸µ¶"),
    "padded_text": ("char(10)", "text", "'x'", "x"),
    "empty": ("varchar(5)", "text", "''", ""),
    "nothing": ("varchar(5)", "text", "null", None),
    "no_number": ("int", "integer", "null", None),
    "choice": ("enum('có','không')", "text", "'không'", "không"),
    "raw_": ("binary(3)", "text", "0x00FF22", "00FF22"),
    "doc": ("json", "jsonb", """'{"a": "x, y"}'""", '{"a": "x, y"}'),
}  # fmt: skip


@pytest.fixture
def thing(run: Any) -> Any:
    kinds = ", ".join(f"`{name}` {kind}" for name, (kind, *_) in VALUES.items())
    run(f"create table thing ({kinds}) engine=innodb")
    run(f"insert into thing values ({', '.join(value for _, _, value, _ in VALUES.values())})")
    run("insert into thing (id) values (1)")
    return run


CONTRACT = {name: kind for name, (_, kind, _, _) in VALUES.items()}


def test_values_arrive_exactly(thing: Any) -> None:
    rows, delivery = read(CONTRACT)
    expected = {name: value for name, (*_, value) in VALUES.items()}
    assert rows[0] == expected
    assert rows[1] == dict.fromkeys(VALUES) | {"id": 1, "moment": None}
    assert delivery.counted == 2


@pytest.mark.parametrize("mode", ["ANSI_QUOTES,PIPES_AS_CONCAT", "NO_BACKSLASH_ESCAPES", "PAD_CHAR_TO_FULL_LENGTH"])
def test_the_servers_own_mode_changes_nothing(thing: Any, mode: str) -> None:
    thing(f"set global sql_mode = '{mode}'")
    try:
        rows, _ = read(CONTRACT)
    finally:
        thing("set global sql_mode = default")
    assert rows[0] == {name: value for name, (*_, value) in VALUES.items()}


def test_values_load_and_a_zero_date_is_a_refused_row(run: Any, lab: Lab) -> None:
    run("create table thing (id int, day date, yes tinyint(1), doc json, exact decimal(30,10), at timestamp null)")
    run(
        "insert into thing values (1, '2025-09-01', 1, '[1]', 0.1, from_unixtime(1756746000)), (2, '0000-00-00', 0, null, 2, null)"
    )
    run("insert into thing values (3, '2025-09-01', 2, null, null, null)")
    columns = {
        "id": "integer",
        "day": "date",
        "yes": "boolean",
        "doc": "jsonb",
        "exact": "numeric",
        "at": "timestamptz",
    }
    table = lab.table(columns, path="s.thing")
    with opened(columns) as deliveries:
        load.load(lab.settings, landing.write(lab.settings, table, WINDOW, deliveries[0]))
    kept = lab.query(f"select id, day, yes, doc, exact::text, at from raw.{table.relation}")
    assert kept == [(1, date(2025, 9, 1), True, [1], "0.1000000000", AT)]
    assert [(code, field) for code, _, field, *_ in lab.refused(table)] == [
        ("TYPE_MISMATCH", "day"),
        ("TYPE_MISMATCH", "yes"),
    ]


@pytest.mark.parametrize(("at_source", "kind"), [("timestamp(6) null", "timestamptz"), ("datetime(6)", "timestamp")])
def test_a_window_holds_its_start_and_not_its_end(run: Any, at_source: str, kind: str) -> None:
    run("set session time_zone = '+07:00'")
    run(f"create table thing (id int, changed_at {at_source})")
    start, tick = AT - timedelta(days=1), timedelta(microseconds=1)
    for number, moment in enumerate([start - tick, start, AT - tick, AT]):
        run("insert into thing values (%s, %s)", number, (moment + timedelta(hours=7)).replace(tzinfo=None))
    run("insert into thing values (4, null)")
    columns = {"id": "integer", "changed_at": kind}
    options = {"load": "cursor", "cursor": "changed_at"}
    rows, delivery = read(columns, Window(WINDOW.as_of, start, AT), **options)
    assert ([row["id"] for row in rows], delivery.counted) == ([1, 2], 2)
    rows, _ = read(columns, WINDOW, **options)
    assert [row["id"] for row in rows] == [0, 1, 2, 4], "the first read takes rows without a cursor too"


def test_the_count_and_the_rows_are_of_one_moment(run: Any) -> None:
    run("create table thing (id int) engine=innodb")
    run("insert into thing values (1)")
    with opened({"id": "integer"}) as deliveries:
        run("insert into thing values (2)")
        assert sum(batch.num_rows for batch in deliveries[0].batches) == deliveries[0].counted == 1


def test_a_table_without_snapshots_that_changes_under_the_reading(run: Any) -> None:
    run("create table thing (id int) engine=myisam")
    run("insert into thing values (1)")
    with opened({"id": "integer"}) as deliveries:
        run("insert into thing values (2)")
        with pytest.raises(
            SourceUnavailableError, match=r"counted 1 rows and sent 2: the table changed .* run it again"
        ):
            list(deliveries[0].batches)


def test_a_column_of_nothing_but_null_loses_no_row(run: Any) -> None:
    run("create table thing (id int)")
    run("insert into thing values (null), (1), (null)")
    assert [row["id"] for row in read({"id": "integer"})[0]] == [None, 1, None]


def test_names_are_quoted_and_unknown_columns_told(run: Any) -> None:
    run("create table `th``ing` (id int, `select` varchar(5), `Họ tên` varchar(20))")
    run("insert into `th``ing` values (1, 'x', 'An')")
    source, table = make_source("toy", "database", {"id": "integer", "name": "text"}, path="th`ing")
    columns = (table.columns[0], table.columns[1].model_copy(update={"path": "Họ tên"}))
    with open_delivery(source, table.model_copy(update={"columns": columns}), WINDOW, frozenset()) as [delivery]:
        assert [row for batch in delivery.batches for row in batch.to_pylist()] == [
            {"id": 1, "name": "An", "_extra": '{"select": "x"}'}
        ]
    assert delivery.unknown_fields == {"select"}


def test_columns_that_the_contract_does_not_know_are_kept_but_for_bytes(thing: Any) -> None:
    rows, delivery = read({"id": "integer"})
    assert delivery.unknown_fields == set(VALUES) - {"id"}
    kept = json.loads(rows[0]["_extra"])
    expected = {name: value if value is None else str(value) for name, (*_, value) in VALUES.items() if name != "id"}
    expected["moment_local"] += "+07:00"  # the moment that it is
    del expected["raw_"]
    for name in ("double_", "tiny_double", "float_"):
        assert float(kept.pop(name)) == float(expected.pop(name))
    assert kept == expected | {"padded": "00000042", "doc": {"a": "x, y"}}
    assert set(json.loads(rows[1]["_extra"]).values()) == {None}


def test_what_the_contract_promises_and_the_database_lacks(run: Any) -> None:
    with pytest.raises(ContractError, match=r"toy\.thing: the database lacks the table s\.thing;.*_toy__sources"):
        read({"id": "integer"})
    run("create table thing (id int)")
    with pytest.raises(ContractError, match=r"toy\.thing: s\.thing lacks name;"):
        read({"id": "integer", "name": "text"})


def test_columns_and_rows_that_cannot_be_sent(run: Any) -> None:
    run("create table thing (id int, place point, words longtext)")
    with pytest.raises(ContractError, match=r"place is a point, .*st_astext\(place\)"):
        read({"id": "integer", "place": "text"})
    run("insert into thing (id, words) values (1, repeat('x', 1048575))")  # with its quotes it is above a megabyte
    with pytest.raises(ContractError, match=r"s\.thing is longer than max_allowed_packet"):
        read({"id": "integer", "words": "text"})


def test_we_only_read(mariadb: MariaDB, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run("create table trace (id int)")
    run("create function s.w() returns int modifies sql data begin insert into s.trace values (1); return 1; end")
    run("create view thing as select s.w() as id")
    run("grant execute on s.* to reader@'127.0.0.1'")
    with pytest.raises(SourceUnavailableError, match="1792"):
        read({"id": "integer"})
    assert run("select count(*) from trace") == ((0,),)


def test_an_account_without_rights(run: Any) -> None:
    run("create database if not exists other")
    run("create table if not exists other.secret (id int)")
    with pytest.raises(SourceRefusedError, match=r"may not read other\.secret; ask its owner for SELECT"):
        read({"id": "integer"}, path="other.secret")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ((r":p.*@", ":wrong-one@"), SourceRefusedError, "Access denied"),
        ((r"reader", "nobody"), SourceRefusedError, "Access denied"),
        ((r"/s$", "/elsewhere"), SourceRefusedError, "elsewhere"),
        ((r":\d+/", ":1/"), SourceUnavailableError, "Can't connect"),
        ((r"127\.0\.0\.1", "no-such-host.invalid"), SourceUnavailableError, "Can't connect"),
        ((r"$", "?ssl-mode=VERIFY_IDENTITY"), SourceRefusedError, "certificate"),
        ((r"$", "?ssl-mode=SOMETIMES"), ConfigurationError, "there are DISABLED"),
        ((r"$", "?ssl-ca=/no/such/file"), ConfigurationError, "ssl-ca cannot be read"),
        ((r"$", "?charset=latin1"), ConfigurationError, "unknown option charset; there are socket, ssl-ca, ssl-mode"),
        ((r":\d+/s", ":port/s"), ConfigurationError, "no address of the form"),
        ((r"//.*", "//p@ss@host"), ConfigurationError, "no address of the form"),
    ],
)
def test_an_address_that_does_not_work(
    mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], error: type[Exception], said: str
) -> None:
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", re.sub(*change, mariadb.dsn(), count=1))
    with pytest.raises(error, match=said) as caught:
        read({"id": "integer"})
    assert "KHOCHUNG_SOURCE_TOY_DSN" in str(caught.value)
    assert not re.search("wrong-one|p@ss|p%40ss", str(caught.value))


def test_tls_where_the_certificate_is_known(
    run: Any, mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    run("create table thing (id int)")
    run("alter user reader@'127.0.0.1' require ssl")
    try:
        for options in (
            {"ssl_mode": "VERIFY_IDENTITY", "ssl_ca": str(mariadb.certificate)},
            {"ssl_mode": "required"},
            {},
        ):
            monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", mariadb.dsn(**options))
            assert read({"id": "integer"})[0] == []
        monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", mariadb.dsn(ssl_mode="DISABLED"))
        with pytest.raises(SourceRefusedError, match="Access denied"):
            read({"id": "integer"})
    finally:
        run("alter user reader@'127.0.0.1' require none")


def test_the_name_in_the_certificate_counts_only_when_asked(
    run: Any, mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("create table thing (id int)")
    by_name = mariadb.dsn(ssl_mode="VERIFY_IDENTITY", ssl_ca=str(mariadb.certificate)).replace("127.0.0.1", "localhost")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_DSN", by_name)
    with pytest.raises(SourceRefusedError, match="certificate"):
        read({"id": "integer"})


def test_a_slow_statement_is_ended_by_the_server(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run("create table thing (id int)")
    run("insert into thing values (1)")
    run("create view slow as select id, sleep(60) as nap from thing")
    monkeypatch.setattr(mysql, "TIME_LIMIT_SECONDS", 1)
    with pytest.raises(SourceUnavailableError, match=r"toy\.thing: reading slow ended early: it took longer than"):
        read({"id": "integer", "nap": "integer"}, path="slow")


def fill(run: Any, rows: int) -> None:
    run("create table thing (id int primary key, words varchar(200)) engine=innodb")
    run(f"insert into thing select seq, repeat('x', 150) from seq_1_to_{rows}")


def test_a_connection_that_is_cut_in_the_middle(run: Any) -> None:
    fill(run, 100_000)
    with opened({"id": "integer", "words": "text"}) as [delivery]:
        next(delivery.batches)
        [(reader,)] = run("select id from information_schema.processlist where user = 'reader'")
        run(f"kill {reader}")
        with pytest.raises(SourceUnavailableError, match=r"reading s\.thing ended early: .*; run it again"):
            list(delivery.batches)


def test_whoever_leaves_early_leaves_nothing_behind(run: Any) -> None:
    fill(run, 100_000)
    before = threading.active_count()
    with opened({"id": "integer", "words": "text"}) as [delivery]:
        assert next(delivery.batches).num_rows < 100_000
    assert threading.active_count() == before
