"""Oracle sources: Oracle's own driver yields Arrow batches, from one read-only transaction, and needs no client library.

Numbers and times are spelled by the server, since an Oracle number has more digits than any Arrow type.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any

import oracledb
import pyarrow as pa

from khochung.contract import Source, Table
from khochung.errors import ContractError, SourceRefusedError, SourceUnavailableError
from khochung.extract import Window, missing_columns
from khochung.extract.database.session import (
    BATCH_ROWS,
    CONNECT_SECONDS,
    TIME_LIMIT_SECONDS,
    Batches,
    Session,
    condition,
    cursor_column,
    fit,
    guaranteed_schema,
    interrupted,
    parse_address,
    unknown_columns,
    with_extra,
)

OPTIONS = frozenset({"protocol", "wallet_location", "wallet_password"})  # the names of its driver
OFFSET = "+07:00"
DAY, SECOND, FRACTION = "SYYYY-MM-DD", "SYYYY-MM-DD HH24:MI:SS", "SYYYY-MM-DD HH24:MI:SS.FF6"

REFUSED = {1005, 1017, 1031, 1045, 12506, 28000, 28001, 28009}
NO_TABLE = {942, 4043}
TOO_OLD = 1555
NOT_SPOKEN = ("DPY-3010", "DPY-3001", "DPY-4001", "DPY-6001", "DPY-6003")  # an old server, encryption, service unknown
OUT_OF_TIME = "DPY-4024"

GUARANTEES = {
    "number(9)": frozenset({"integer", "bigint", "numeric"}),
    "number(18)": frozenset({"bigint", "numeric"}),
    "number": frozenset({"numeric"}),
    "binary_float": frozenset({"double precision"}),
    "binary_double": frozenset({"double precision"}),
}
NUMBER = "to_char({0}, 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,''')"
SPELLED = {
    "number(9)": NUMBER,
    "number(18)": NUMBER,
    "number": NUMBER,
    "raw": "rawtohex({0})",
    "rowid": "rowidtochar({0})",
    "interval_ds": "to_char({0})",
    "interval_ym": "to_char({0})",
    "json": "json_serialize({0} returning clob)",
    "boolean": "case when {0} then 't' when not {0} then 'f' end",
}
AS_THEY_ARE = frozenset(
    {"varchar", "nvarchar", "char", "nchar", "long", "clob", "nclob", "binary_float", "binary_double"}
)
KEPT = (AS_THEY_ARE | SPELLED.keys() | {"date", "timestamp", "timestamp_tz", "timestamp_ltz"}) - {"raw"}


@contextmanager
def connect(source: Source, variable: str, address: str) -> Iterator["Oracle"]:
    """A session in one snapshot. `address`: `oracle://user:password@host:1521/service?protocol=tcps`."""
    parts = parse_address(variable, address, 1521, OPTIONS)
    oracledb.defaults.fetch_lobs = False  # long texts come with their rows
    try:
        connection = oracledb.connect(
            user=parts.user,
            password=parts.password,
            host=parts.host,
            port=parts.port,
            service_name=parts.database,
            tcp_connect_timeout=CONNECT_SECONDS,
            program="khochung extract",
            **parts.options,
        )
    except oracledb.Error as error:
        raise _no_entry(source, variable, error) from None
    with closing(connection):
        connection.call_timeout = TIME_LIMIT_SECONDS * 1000
        with connection.cursor() as cursor:
            cursor.execute("set transaction read only")
        yield Oracle(connection)


def _no_entry(source: Source, variable: str, error: oracledb.Error) -> Exception:
    [told] = error.args
    said = " ".join(str(told.message).split("\nHelp:")[0].split())
    refused = told.code in REFUSED or told.full_code in NOT_SPOKEN or "CERTIFICATE" in said.upper()
    kind = SourceRefusedError if refused else SourceUnavailableError
    return kind(f"source {source.name}: {said}; check {variable}")


class Oracle(Session):
    """A session of an Oracle source. Names are as in Oracle's dictionary, where most are in capitals."""

    def __init__(self, connection: oracledb.Connection) -> None:
        self._connection = connection

    def columns(self, table: Table) -> dict[str, str]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"select * from {_relation(table)} where 1 = 0")
                return {name: kind_of(kind, *size) for name, kind, _, _, *size, _ in cursor.description or ()}
        except oracledb.Error as error:
            raise _failed(table, error) from None

    def count(self, table: Table, kinds: dict[str, str], window: Window) -> int:
        try:
            with self._connection.cursor() as cursor:
                [counted] = cursor.execute(f"select count(*) {_from(table, kinds, window)}").fetchone()
                return int(counted)
        except oracledb.Error as error:
            raise _failed(table, error) from None

    def schema(self, table: Table, kinds: dict[str, str]) -> pa.Schema:
        return guaranteed_schema(table, kinds, GUARANTEES, _kept(table, kinds))

    def batches(self, table: Table, kinds: dict[str, str], window: Window, schema: pa.Schema) -> Batches:
        kept = _kept(table, kinds)
        statement = f"select {expressions(table, kinds)} {_from(table, kinds, window)}"
        try:
            for frame in self._connection.fetch_df_batches(statement, size=BATCH_ROWS):
                for batch in pa.table(frame).to_batches():
                    yield fit(with_extra(batch, kept), table, schema)
        except oracledb.Error as error:
            raise _failed(table, error) from None


def kind_of(kind: Any, precision: int | None, scale: int | None) -> str:
    """The name of a type as this module uses it: `number(9)` and `number(18)` are whole numbers of at most that length."""
    name = str(kind.name).removeprefix("DB_TYPE_").lower()
    if name != "number" or scale != 0 or not precision or precision > 18:
        return name
    return "number(9)" if precision <= 9 else "number(18)"


def _failed(table: Table, error: oracledb.Error) -> Exception:
    """Our error for the driver's, whose text may quote a value."""
    [told] = error.args
    if told.code in NO_TABLE:
        return missing_columns(table, [f"the table {table.path} (or our right to read it)"], "the database")
    if told.code in REFUSED:
        return SourceRefusedError(f"{table.source}: our account may not read {table.path}; ask its owner for SELECT")
    if told.full_code == OUT_OF_TIME:
        return interrupted(table, f"it took longer than {TIME_LIMIT_SECONDS // 60} minutes")
    if told.code == TOO_OLD:
        return interrupted(table, "ORA-01555, the source keeps too little undo for a read of this length")
    return interrupted(table, str(told.full_code))


def _from(table: Table, kinds: dict[str, str], window: Window) -> str:
    column = cursor_column(table)
    kind = kinds[column.path] if column else ""
    return f"from {_relation(table)} where {condition(table, window, _quote, lambda moment: _moment(moment, kind))}"


def _moment(moment: datetime, kind: str) -> str:
    """A bound in the type of its column, so that the column's index is used."""
    if kind == "date":  # it has whole seconds, so a fraction belongs to the next one
        whole = moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)
        return f"to_date('{whole:%Y-%m-%d %H:%M:%S}', 'YYYY-MM-DD HH24:MI:SS')"
    offset = f" {OFFSET}" if kind.endswith("tz") else ""
    return f"timestamp '{moment:%Y-%m-%d %H:%M:%S.%f}{offset}'"


def _relation(table: Table) -> str:
    return ".".join(_quote(part) for part in table.path.split("."))


def _quote(name: str) -> str:
    if '"' in name or "\0" in name:
        raise ContractError(f"Oracle has no name that holds a quotation mark: {name}; correct `path` in the contract")
    return f'"{name}"'


def expressions(table: Table, kinds: dict[str, str]) -> str:
    """The columns of the contract as SQL, in its order, and behind them what `_extra` keeps."""
    wanted = [(column.path, str(column.data_type)) for column in table.columns]
    wanted += [(path, "text") for path in _kept(table, kinds)]
    return ", ".join(_expression(table, path, data_type, kinds[path]) for path, data_type in wanted)


def _kept(table: Table, kinds: dict[str, str]) -> list[str]:
    """Columns that the contract does not know and `_extra` takes: all that have a text, but no bytes."""
    return [path for path in unknown_columns(table, kinds) if kinds[path] in KEPT]


def _expression(table: Table, path: str, data_type: str, kind: str) -> str:
    name = _quote(path)
    if kind in AS_THEY_ARE:
        return name
    if kind == "date":
        return f"ltrim(to_char({name}, '{DAY if data_type == 'date' else SECOND}'))"
    if kind == "timestamp":
        return f"ltrim(to_char({name}, '{FRACTION}'))"
    if kind in ("timestamp_tz", "timestamp_ltz"):
        local = f"ltrim(to_char({name} at time zone '{OFFSET}', '{FRACTION}'))"
        return local if data_type == "timestamp" else f"{local} || nvl2({name}, '{OFFSET}', '')"
    if kind not in SPELLED:
        raise ContractError(
            f"{table.source}.{table.name}: {path} is of type {kind}, which has no text; "
            f"ask the owner for a view that spells it"
        )
    return SPELLED[kind].format(name)
