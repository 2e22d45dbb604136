"""SQL Server and Oracle, of which no server runs here: what we say to them and what we make of their answers.

The drivers are the real ones wherever no server has to answer.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import mssql_python
import oracledb
import pyarrow as pa
import pytest

from khochung.errors import ConfigurationError, ContractError, SourceRefusedError, SourceUnavailableError
from khochung.extract import Window, open_delivery, source_type
from khochung.extract.database import oracle, sqlserver
from khochung.extract.database.session import parse_address
from tests.ingest.toy_source import make_source

END = datetime(2025, 9, 1, 17, tzinfo=UTC)  # midnight in Việt Nam
WINDOW = Window(date(2025, 9, 1), None, END)
DAY = Window(date(2025, 9, 1), END - timedelta(days=1), END)
VARIABLE = "KHOCHUNG_SOURCE_TOY_DSN"
DSN = {"mssql": "mssql://reader:p%40ss%3B%7Dx@host/land", "oracle": "oracle://reader:p%40ss@host/LAND"}
Answers = dict[str, Any]


class Server:
    """What answers in a driver's place: `answers` maps a pattern to rows, to an error, or to a batch of rows."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.said = answers, []  # type: tuple[Answers, list[str]]
        self.description: Any = None
        self.timeout = self.call_timeout = 0
        self._answer: Any = None

    def cursor(self) -> "Server":
        return self

    def execute(self, statement: str) -> "Server":
        self.said.append(statement)
        self._answer = next((answer for words, answer in self.answers.items() if re.search(words, statement)), [])
        if isinstance(self._answer, Exception):
            raise self._answer
        if "1 = 0" in statement:
            self.description = self._answer
        return self

    def fetchone(self) -> Any:
        return self._answer[0] if self._answer else None

    def fetchall(self) -> Any:
        return self._answer

    def arrow_reader(self, size: int) -> Any:
        return pa.RecordBatchReader.from_batches(self._answer.schema, self._answer.to_batches())

    def fetch_df_batches(self, statement: str, size: int) -> Iterator[Any]:
        yield self.execute(statement)._answer

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(scheme: str, answers: Answers) -> Server:
        server = Server(answers)
        monkeypatch.setenv(VARIABLE, DSN[scheme])
        module = {"mssql": mssql_python, "oracle": oracledb}[scheme]
        monkeypatch.setattr(module, "connect", lambda *args, **keywords: server)
        return server

    return install


@contextmanager
def opened(columns: dict[str, str], window: Window = WINDOW, **options: Any) -> Iterator[Any]:
    source, table = make_source("toy", "database", columns, **({"path": "S.THING"} | options))
    with open_delivery(source, table, window, frozenset()) as [delivery]:
        yield delivery


def number(precision: int, scale: int) -> tuple[Any, ...]:
    return (oracledb.DB_TYPE_NUMBER, 0, 0, precision, scale, True)


def plain(kind: Any) -> tuple[Any, ...]:
    return (kind, 0, 0, 0, 0, True)


ORACLE = [
    ("id", *number(9, 0)),
    ("big", *number(18, 0)),
    ("exact", *number(0, -127)),
    ("day", *plain(oracledb.DB_TYPE_DATE)),
    ("at", *plain(oracledb.DB_TYPE_TIMESTAMP_TZ)),
    ("words", *plain(oracledb.DB_TYPE_CLOB)),
    ("more", *plain(oracledb.DB_TYPE_VARCHAR)),
    ("scan", *plain(oracledb.DB_TYPE_BLOB)),
]
COLUMNS = {"id": "integer", "big": "bigint", "exact": "numeric", "day": "date", "at": "timestamptz", "words": "text"}
SENT = {"id": "7", "big": "9007199254740993", "exact": ".1200", "day": "2025-09-01", "at": "2025-09-01 00:00:00.000001+07:00", "words": "Ánh"}  # fmt: skip


def test_oracle_in_one_transaction(answering: Any) -> None:
    sent = pa.table({name: [value] for name, value in (SENT | {"more": "thêm"}).items()})
    server = answering("oracle", {"1 = 0": ORACLE, "count": [(1,)], "to_char": sent})
    with opened(COLUMNS) as delivery:
        rows = [row for batch in delivery.batches for row in batch.to_pylist()]
    assert rows == [SENT | {"id": 7, "big": 9007199254740993, "_extra": '{"more":"thêm"}'}]
    assert delivery.unknown_fields == {"more", "scan"}, "bytes are told and not kept"
    assert [source_type(delivery.schema.field(name)) for name in ("exact", "day")] == ["numeric", None]
    opening, described, counted, read = server.said
    assert opening == "set transaction read only"
    assert described == 'select * from "S"."THING" where 1 = 0'
    assert counted == 'select count(*) from "S"."THING" where 1 = 1'
    assert "to_char(\"exact\", 'TM9'" in read
    assert "to_char(\"at\" at time zone '+07:00', 'SYYYY-MM-DD HH24:MI:SS.FF6')) || nvl2(\"at\", '+07:00', '')" in read
    assert read.endswith(', "words", "more" from "S"."THING" where 1 = 1')
    assert server.call_timeout == 30 * 60 * 1000


MSSQL = [
    ("id", "int"), ("big", "bigint"), ("exact", "decimal(38,10)"), ("day", "date"), ("at", "datetimeoffset(7)"),
    ("words", "varchar(8000)"), ("more", "int"), ("none", "money"), ("scan", "varbinary(max)"), ("shape", "geography"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "level"), [(1, "snapshot"), (0, "read committed")])
def test_sql_server_in_one_transaction(answering: Any, state: int, level: str) -> None:
    sent = pa.table({name: [value] for name, value in SENT.items()})
    typed = sent.set_column(0, "id", pa.array([7], pa.int32())).set_column(1, "big", pa.array([2**53 + 1], pa.int64()))
    typed = typed.append_column("more", pa.array([5], pa.int32())).append_column("none", pa.array([None], pa.string()))
    server = answering(
        "mssql",
        {"snapshot_isolation_state": [(state,)], "describe": MSSQL, "count_big": [(1,)], r"select \[id\]": typed},
    )
    with opened(COLUMNS) as delivery:
        rows = [row for batch in delivery.batches for row in batch.to_pylist()]
    assert rows == [SENT | {"id": 7, "big": 2**53 + 1, "day": date(2025, 9, 1), "_extra": '{"more":5,"none":null}'}]
    assert delivery.unknown_fields == {"more", "none", "scan", "shape"}, "bytes and shapes are told and not kept"
    said = server.said
    assert said[1:4] == ["set lock_timeout 60000", f"set transaction isolation level {level}", "begin transaction"]
    assert said[4] == "select top (0) * from [S].[THING]"
    assert "N'select * from [S].[THING]'" in said[5]
    assert said[6] == "select count_big(*) from [S].[THING] where 1 = 1"
    assert said[7] == (
        "select [id], [big], convert(varchar(41), [exact]), convert(varchar(10), [day], 23), "
        "convert(varchar(34), [at], 121), convert(nvarchar(max), [words]), "
        "[more], convert(varchar(41), convert(decimal(19, 4), [none])) from [S].[THING] where 1 = 1"
    )
    assert server.timeout == 30 * 60


@pytest.mark.parametrize(
    ("scheme", "kind", "start", "end"),
    [
        ("mssql", "datetime", "convert(datetime2, '2025-09-01T00:00:00.000000', 126)", "convert(datetime2, '2025-09-02T00:00:00.000000', 126)"),
        ("mssql", "datetimeoffset(7)", "convert(datetimeoffset, '2025-09-01T00:00:00.000000+07:00', 126)", "convert(datetimeoffset, '2025-09-02T00:00:00.000000+07:00', 126)"),
        ("oracle", oracledb.DB_TYPE_TIMESTAMP, "timestamp '2025-09-01 00:00:00.000000'", "timestamp '2025-09-02 00:00:00.000000'"),
        ("oracle", oracledb.DB_TYPE_TIMESTAMP_LTZ, "timestamp '2025-09-01 00:00:00.000000 +07:00'", "timestamp '2025-09-02 00:00:00.000000 +07:00'"),
        ("oracle", oracledb.DB_TYPE_DATE, "to_date('2025-09-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS')", "to_date('2025-09-02 00:00:00', 'YYYY-MM-DD HH24:MI:SS')"),
    ],
)  # fmt: skip
def test_a_window_in_the_type_of_its_column(answering: Any, scheme: str, kind: Any, start: str, end: str) -> None:
    described = [("at", kind)] if scheme == "mssql" else [("at", *plain(kind))]
    server = answering(scheme, {"describe|1 = 0": described, "count": [(0,)]})
    with opened({"at": "timestamptz"}, DAY, load="cursor", cursor="at"):
        pass
    name = "[at]" if scheme == "mssql" else '"at"'
    assert server.said[-1].endswith(f"where {name} >= {start} and {name} < {end}")
    with opened({"at": "timestamptz"}, WINDOW, load="cursor", cursor="at"):
        pass
    assert server.said[-1].endswith(f"where ({name} < {end} or {name} is null)")


def test_a_bound_between_two_seconds_of_an_oracle_date(answering: Any) -> None:
    server = answering("oracle", {"1 = 0": [("at", *plain(oracledb.DB_TYPE_DATE))], "count": [(0,)]})
    window = Window(DAY.as_of, END - timedelta(microseconds=1), END + timedelta(microseconds=1))
    with opened({"at": "timestamp"}, window, load="cursor", cursor="at"):
        pass
    assert "\"at\" >= to_date('2025-09-02 00:00:00'" in server.said[-1]
    assert "\"at\" < to_date('2025-09-02 00:00:01'" in server.said[-1]


def of_oracle(code: int, full: str, text: str = "says 'Nguyen'") -> oracledb.Error:
    return oracledb.DatabaseError(SimpleNamespace(code=code, full_code=full, message=f"{full}: {text}"))


def of_mssql(state: str, text: str = "says 'Nguyen'") -> Exception:
    return mssql_python.ProgrammingError(state, f"[Microsoft][SQL Server]{text}")


@pytest.mark.parametrize(
    ("scheme", "told", "error", "said"),
    [
        ("oracle", of_oracle(942, "ORA-00942"), ContractError, r"lacks the table S\.THING \(or our right to read it\)"),
        ("oracle", of_oracle(1031, "ORA-01031"), SourceRefusedError, r"may not read S\.THING; ask its owner"),
        ("oracle", of_oracle(1555, "ORA-01555"), SourceUnavailableError, "too little undo"),
        ("oracle", of_oracle(0, "DPY-4024"), SourceUnavailableError, "longer than 30 minutes"),
        ("oracle", of_oracle(3113, "ORA-03113"), SourceUnavailableError, "ORA-03113; run it again"),
        ("mssql", of_mssql("Base table or view not found"), ContractError, r"lacks the table S\.THING"),
        ("mssql", of_mssql("Syntax error or access violation", "The SELECT permission was denied"), SourceRefusedError, "may not read"),
        ("mssql", of_mssql("Timeout expired"), SourceUnavailableError, "longer than 30 minutes"),
        ("mssql", of_mssql("Communication link failure"), SourceUnavailableError, "Communication link failure; run it again"),
    ],
)  # fmt: skip
def test_errors_of_a_read(answering: Any, scheme: str, told: Exception, error: type[Exception], said: str) -> None:
    answering(scheme, {"THING": told})
    with pytest.raises(error, match=said) as caught, opened(COLUMNS):
        pass
    assert "Nguyen" not in str(caught.value)
    assert caught.value.__suppress_context__ or "lacks" in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "told", "error"),
    [
        ("oracle", of_oracle(1017, "ORA-01017", "invalid username/password"), SourceRefusedError),
        ("oracle", of_oracle(0, "DPY-3010", "old server"), SourceRefusedError),
        ("oracle", of_oracle(0, "DPY-6005", "cannot connect\n[SSL: CERTIFICATE_VERIFY_FAILED]"), SourceRefusedError),
        ("oracle", of_oracle(12514, "ORA-12514", "no listener"), SourceUnavailableError),
        ("mssql", of_mssql("Invalid authorization specification", "Login failed for user 'x'."), SourceRefusedError),
        ("mssql", of_mssql("Syntax error or access violation", "Cannot open database"), SourceRefusedError),
        ("mssql", of_mssql("Client unable to establish connection", "certificate verify failed"), SourceRefusedError),
        ("mssql", of_mssql("Timeout expired", "Login timeout expired"), SourceUnavailableError),
        ("mssql", of_mssql("Connection operation failed", "Failed to load the driver."), ConfigurationError),
    ],
)
def test_errors_of_an_address(
    monkeypatch: pytest.MonkeyPatch, scheme: str, told: Exception, error: type[Exception]
) -> None:
    def refuse(*args: Any, **keywords: Any) -> None:
        raise told

    monkeypatch.setenv(VARIABLE, DSN[scheme])
    monkeypatch.setattr({"mssql": mssql_python, "oracle": oracledb}[scheme], "connect", refuse)
    with pytest.raises(error, match=f"{VARIABLE}|libltdl7") as caught, opened(COLUMNS):
        pass
    assert "p@ss" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["mssql", "oracle"])
def test_the_real_driver_finds_nobody(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr({"mssql": sqlserver, "oracle": oracle}[scheme], "CONNECT_SECONDS", 1)
    monkeypatch.setenv(VARIABLE, DSN[scheme].replace("host/", "127.0.0.1:1/"))
    with (
        pytest.raises((SourceUnavailableError, ConfigurationError), match=f"{VARIABLE}|libltdl7") as caught,
        opened(COLUMNS),
    ):
        pass
    assert not re.search("p@ss|p%40ss", str(caught.value))


def test_a_password_cannot_end_its_keyword() -> None:
    parts = parse_address(VARIABLE, DSN["mssql"] + "?Encrypt=strict", 1433, sqlserver.OPTIONS)
    assert sqlserver.connection_string(parts) == (
        "Server=tcp:host,1433;Database=land;UID=reader;PWD={p@ss;}}x};Encrypt=strict;TrustServerCertificate=no;"
    )
    assert "p@ss" not in repr(parts)


@pytest.mark.parametrize(
    ("scheme", "described", "said"),
    [
        ("mssql", [("id", "geography")], r"id is a geography, which has no text; ask the owner for a view"),
        ("oracle", [("id", *plain(oracledb.DB_TYPE_BLOB))], r"id is of type blob, which has no text"),
    ],
)
def test_a_type_that_has_no_text(answering: Any, scheme: str, described: Any, said: str) -> None:
    answering(scheme, {"describe|1 = 0": described, "count": [(1,)]})
    with pytest.raises(ContractError, match=said), opened({"id": "text"}) as delivery:
        list(delivery.batches)


def test_a_value_out_of_type_names_the_column_and_not_the_value(answering: Any) -> None:
    answering("oracle", {"1 = 0": ORACLE[:1], "count": [(1,)], "to_char": pa.table({"id": ["Nguyen"]})})
    with (
        pytest.raises(ContractError, match=r"does not fit id \(integer\)") as caught,
        opened({"id": "integer"}) as delivery,
    ):
        list(delivery.batches)
    assert "Nguyen" not in str(caught.value)
