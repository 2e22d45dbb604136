"""SQL Server sources: Microsoft's own driver yields Arrow batches, from one SNAPSHOT transaction where that is allowed.

What Arrow or the driver could round is spelled by the server: decimals, money, times.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import mssql_python
import pyarrow as pa

from khochung.contract import Source, Table
from khochung.errors import ConfigurationError, ContractError, SourceRefusedError, SourceUnavailableError
from khochung.extract import Window, missing_columns
from khochung.extract.database.session import (
    BATCH_ROWS,
    CONNECT_SECONDS,
    TIME_LIMIT_SECONDS,
    Address,
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

OPTIONS = frozenset({"Encrypt", "TrustServerCertificate", "HostnameInCertificate", "ServerCertificate"})  # as in ODBC
LIBRARIES = "apt-get install libltdl7 libkrb5-3 libgssapi-krb5-2"
LOCK_SECONDS = 60
LONGEST_TEXT = 4000  # letters of an nvarchar that is not `max`
OFFSET = "+07:00"

GUARANTEES = (
    dict.fromkeys(("tinyint", "smallint", "int"), frozenset({"integer", "bigint", "numeric"}))
    | dict.fromkeys(("decimal", "numeric", "money", "smallmoney"), frozenset({"numeric"}))
    | {
        "bigint": frozenset({"bigint", "numeric"}),
        "float": frozenset({"double precision"}),
        "real": frozenset({"double precision"}),
        "bit": frozenset({"boolean"}),
        "date": frozenset({"date"}),
        "uniqueidentifier": frozenset({"uuid"}),
    }
)
AS_THEY_ARE = frozenset({"tinyint", "smallint", "int", "bigint", "float", "real", "nchar", "nvarchar"})
SPELLED = {
    "decimal": "convert(varchar(41), {0})",
    "numeric": "convert(varchar(41), {0})",
    "money": "convert(varchar(41), convert(decimal(19, 4), {0}))",
    "smallmoney": "convert(varchar(41), convert(decimal(19, 4), {0}))",
    "bit": "convert(varchar(1), {0})",
    "date": "convert(varchar(10), {0}, 23)",
    "smalldatetime": "convert(varchar(27), {0}, 121)",
    "datetime": "convert(varchar(27), {0}, 121)",
    "datetime2": "convert(varchar(27), {0}, 121)",
    "time": "convert(varchar(16), {0})",
    "uniqueidentifier": "convert(varchar(36), {0})",
    "char": "convert(nvarchar({1}), {0})",
    "varchar": "convert(nvarchar({1}), {0})",
    "text": "convert(nvarchar(max), {0})",
    "ntext": "convert(nvarchar(max), {0})",
    "xml": "convert(nvarchar(max), {0})",
    "json": "convert(nvarchar(max), {0})",
    "binary": "convert(varchar(max), convert(varbinary(max), {0}), 2)",
    "varbinary": "convert(varchar(max), convert(varbinary(max), {0}), 2)",
    "image": "convert(varchar(max), convert(varbinary(max), {0}), 2)",
    "timestamp": "convert(varchar(16), convert(varbinary(8), {0}), 2)",
}
KEPT = (AS_THEY_ARE | SPELLED.keys() | {"datetimeoffset"}) - {"binary", "varbinary", "image", "timestamp"}


@contextmanager
def connect(source: Source, variable: str, address: str) -> Iterator["SQLServer"]:
    """A session. `address`: `mssql://user:password@host:1433/database?Encrypt=strict`."""
    keywords = connection_string(parse_address(variable, address, 1433, OPTIONS))
    mssql_python.pooling(enabled=False)  # the next user of a connection would inherit its isolation
    try:
        connection = mssql_python.connect(keywords, autocommit=True, timeout=CONNECT_SECONDS)
    except (mssql_python.Error, mssql_python.ConnectionStringParseError) as error:
        raise _no_entry(source, variable, error) from None
    with closing(connection):
        connection.timeout = TIME_LIMIT_SECONDS
        with closing(connection.cursor()) as cursor:
            cursor.execute("select snapshot_isolation_state from sys.databases where database_id = db_id()")
            [state] = cursor.fetchone() or [0]
            for statement in preparations(state == 1):
                cursor.execute(statement)
        yield SQLServer(connection)


def connection_string(parts: Address) -> str:
    """ODBC keywords; braces keep a semicolon in a password from ending it. TLS and its check are the driver's default."""
    keywords = {
        "Server": f"tcp:{parts.host},{parts.port}",
        "Database": parts.database,
        "UID": parts.user,
        "PWD": parts.password,
        "Encrypt": "yes",
        "TrustServerCertificate": "no",
    } | parts.options
    return "".join(f"{name}={_braced(value)};" for name, value in keywords.items())


def _braced(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}" if set(value) & set("[]{}();?*=!@ ") else value


def preparations(has_snapshots: bool) -> list[str]:
    """What a session begins with. Without snapshots only the number of rows tells that they moved."""
    level = "snapshot" if has_snapshots else "read committed"
    return [
        f"set lock_timeout {LOCK_SECONDS * 1000}",
        f"set transaction isolation level {level}",
        "begin transaction",
    ]


def _no_entry(source: Source, variable: str, error: Any) -> Exception:
    if isinstance(error, mssql_python.ConnectionStringParseError):
        return ConfigurationError(f"{variable}: the SQL Server driver does not accept a value in it; correct it")
    said, state = error.ddbc_error.strip(), error.driver_error
    if "load the driver" in said:
        return ConfigurationError(f"source {source.name}: the SQL Server driver lacks libraries: {LIBRARIES}")
    refused = state in ("Invalid authorization specification", "Syntax error or access violation")
    kind = SourceRefusedError if refused or "certificate" in said else SourceUnavailableError
    return kind(f"source {source.name}: {said}; check {variable}")


class SQLServer(Session):
    """A session of a SQL Server source. `kinds` hold the type as it is declared: `varchar(20)`, `decimal(10,2)`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def columns(self, table: Table) -> dict[str, str]:
        # Which error this one gives tells a table that is not there from one that we may not read.
        query = f"select * from {_relation(table)}"
        self._rows(query.replace("select", "select top (0)", 1), table)
        described = f"sys.dm_exec_describe_first_result_set(N'{_escape(query)}', null, 0)"
        rows = self._rows(
            f"select name, coalesce(system_type_name, user_type_name) from {described} where is_hidden = 0", table
        )
        return {name: str(kind) for name, kind in rows}

    def count(self, table: Table, kinds: dict[str, str], window: Window) -> int:
        return int(self._rows(f"select count_big(*) {_from(table, kinds, window)}", table)[0][0])

    def schema(self, table: Table, kinds: dict[str, str]) -> pa.Schema:
        bases = {path: _base(kind) for path, kind in kinds.items()}
        return guaranteed_schema(table, bases, GUARANTEES, _kept(table, kinds))

    def batches(self, table: Table, kinds: dict[str, str], window: Window, schema: pa.Schema) -> Batches:
        kept = _kept(table, kinds)
        statement = f"select {expressions(table, kinds)} {_from(table, kinds, window)}"
        try:
            with closing(self._connection.cursor()) as cursor:
                cursor.execute(statement)
                with cursor.arrow_reader(BATCH_ROWS) as reader:
                    for batch in reader:
                        yield fit(with_extra(batch, kept), table, schema)
        except mssql_python.Error as error:
            raise _failed(table, error) from None

    def _rows(self, statement: str, table: Table) -> list[Any]:
        try:
            with closing(self._connection.cursor()) as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())
        except mssql_python.Error as error:
            raise _failed(table, error) from None


def _failed(table: Table, error: Any) -> Exception:
    """Our error for the driver's, whose text may quote a value."""
    if error.driver_error == "Base table or view not found":
        return missing_columns(table, [f"the table {table.path}"], "the database")
    if "permission" in error.ddbc_error:
        return SourceRefusedError(f"{table.source}: our account may not read {table.path}; ask its owner for SELECT")
    if error.driver_error == "Timeout expired":
        return interrupted(table, f"it took longer than {TIME_LIMIT_SECONDS // 60} minutes")
    return interrupted(table, f"{type(error).__name__}: {error.driver_error}")


def _from(table: Table, kinds: dict[str, str], window: Window) -> str:
    column = cursor_column(table)
    has_offset = column is not None and _base(kinds[column.path]) == "datetimeoffset"

    def literal(moment: datetime) -> str:
        spelled = f"{moment:%Y-%m-%dT%H:%M:%S.%f}"
        return (
            f"convert(datetimeoffset, '{spelled}{OFFSET}', 126)"
            if has_offset
            else f"convert(datetime2, '{spelled}', 126)"
        )

    return f"from {_relation(table)} where {condition(table, window, _quote, literal)}"


def _relation(table: Table) -> str:
    return ".".join(_quote(part) for part in table.path.split("."))


def _quote(name: str) -> str:
    return f"[{name.replace(']', ']]')}]"


def _escape(text: str) -> str:
    return text.replace("'", "''")


def _base(kind: str) -> str:
    return kind.partition("(")[0]


def expressions(table: Table, kinds: dict[str, str]) -> str:
    """The columns of the contract as SQL, in its order, and behind them what `_extra` keeps."""
    wanted = [(column.path, str(column.data_type)) for column in table.columns]
    wanted += [(path, "text") for path in _kept(table, kinds)]
    return ", ".join(_expression(table, path, data_type, kinds[path]) for path, data_type in wanted)


def _kept(table: Table, kinds: dict[str, str]) -> list[str]:
    """Columns that the contract does not know and `_extra` takes: all that have a text, but no bytes."""
    return [path for path in unknown_columns(table, kinds) if _base(kinds[path]) in KEPT]


def _expression(table: Table, path: str, data_type: str, kind: str) -> str:
    name, base = _quote(path), _base(kind)
    if base in AS_THEY_ARE:
        return name
    if base == "datetimeoffset":
        local = f"convert(datetime2, switchoffset({name}, '{OFFSET}'))"
        return f"convert(varchar(34), {local if data_type == 'timestamp' else name}, 121)"
    if base not in SPELLED:
        raise ContractError(
            f"{table.source}.{table.name}: {path} is a {kind}, which has no text; "
            f"ask the owner for a view that spells it, such as {path}.STAsText()"
        )
    length = kind.partition("(")[2].rstrip(")")
    return SPELLED[base].format(name, length if length.isdigit() and int(length) <= LONGEST_TEXT else "max")
