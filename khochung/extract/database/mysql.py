"""MySQL and MariaDB sources: the server spells each row as a line of CSV, Arrow parses it.

Neither has a COPY to the client. One expression per row does the same: one connection, one consistent snapshot, and no
Python object for a value.
"""

import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import pyarrow as pa
import pymysql
from pymysql.cursors import SSCursor

from khochung.contract import Column, Source, Table
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
    guaranteed_schema,
    interrupted,
    parse_address,
    parse_csv,
    unknown_columns,
)

# The names of MySQL's own clients.
OPTIONS = frozenset({"ssl-mode", "ssl-ca", "socket"})
SSL_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
OFFSET = "+07:00"  # TIMESTAMP columns begin in 1970 and are shown at this offset

REFUSED = {1044, 1045, 1049, 1130, 1142, 1143, 1227, 1698, 1820, 1862, 3118, 4151}
NO_TABLE = {1051, 1109, 1146}
OUT_OF_TIME = {1969, 3024}

_SMALL = ("tinyint", "smallint", "mediumint", "tinyint unsigned", "smallint unsigned", "mediumint unsigned", "year")
# Dates are not in this list: a date may be 0000-00-00 or 2025-02-00. Nor is tinyint(1), which may be 2.
GUARANTEES = (
    dict.fromkeys((*_SMALL, "int"), frozenset({"integer", "bigint", "numeric"}))
    | dict.fromkeys(("int unsigned", "bigint"), frozenset({"bigint", "numeric"}))
    | dict.fromkeys(("bigint unsigned", "decimal", "decimal unsigned"), frozenset({"numeric"}))
    | dict.fromkeys(("float", "float unsigned", "double", "double unsigned"), frozenset({"double precision"}))
)
UNQUOTED = frozenset(GUARANTEES) | {"bit"}
BINARY = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
SHAPES = frozenset(
    {
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
    }
)


@contextmanager
def connect(source: Source, variable: str, address: str) -> Iterator["MySQL"]:
    """A session in one snapshot. `address`: `mysql://user:password@host:3306/database?ssl-mode=VERIFY_IDENTITY`."""
    parts = parse_address(variable, address, 3306, OPTIONS)
    tls = _tls(variable, parts)
    try:
        connection = pymysql.connect(
            host=parts.host or "localhost",
            port=parts.port,
            user=parts.user,
            password=parts.password,
            database=parts.database,
            unix_socket=parts.options.get("socket"),
            charset="utf8mb4",
            sql_mode="",  # whatever the server's is: quotes, spaces and zero dates mean the same everywhere
            connect_timeout=CONNECT_SECONDS,
            read_timeout=TIME_LIMIT_SECONDS + 30,  # the server is to end it first, and says so
            program_name="khochung extract",
            **tls,
        )
    except pymysql.MySQLError as error:
        raise _no_entry(source, variable, error) from error
    with closing(connection):
        with connection.cursor() as cursor:
            cursor.execute("select version()")
            for statement in _preparations(cursor.fetchall()[0][0]):
                cursor.execute(statement)
        yield MySQL(connection)


def _tls(variable: str, parts: Address) -> dict[str, Any]:
    mode = parts.options.get("ssl-mode", "VERIFY_CA" if "ssl-ca" in parts.options else "PREFERRED").upper()
    if mode not in SSL_MODES:
        raise ConfigurationError(f"{variable}: ssl-mode {mode} is unknown; there are {', '.join(SSL_MODES)}")
    if mode == "DISABLED" or "socket" in parts.options:
        return {"ssl_disabled": True}
    if mode == "PREFERRED":
        return {}
    try:
        context = ssl.create_default_context(cafile=parts.options.get("ssl-ca"))
    except OSError as error:
        raise ConfigurationError(f"{variable}: the file of ssl-ca cannot be read ({error.strerror})") from error
    context.check_hostname = mode == "VERIFY_IDENTITY"
    context.verify_mode = ssl.CERT_NONE if mode == "REQUIRED" else ssl.CERT_REQUIRED
    return {"ssl": context}


def _no_entry(source: Source, variable: str, error: pymysql.MySQLError) -> Exception:
    code, said = error.args[0] if error.args else 0, str(error.args[-1] if error.args else error)
    distrust = isinstance(getattr(error, "original_exception", None), ssl.SSLError) or "SSL" in said
    kind = SourceRefusedError if code in REFUSED or distrust else SourceUnavailableError
    return kind(f"source {source.name}: {said}; check {variable}")


def _preparations(version: str) -> list[str]:
    # The one counts seconds, the other milliseconds.
    if "MariaDB" in version:
        limit = f"set session max_statement_time = {TIME_LIMIT_SECONDS}"
    else:
        limit = f"set session max_execution_time = {TIME_LIMIT_SECONDS * 1000}"
    return [
        limit,
        f"set session net_write_timeout = {TIME_LIMIT_SECONDS}",  # the server waits while we write to disk
        f"set session time_zone = '{OFFSET}'",
        "set session transaction isolation level repeatable read",
        "start transaction with consistent snapshot, read only",
    ]


class MySQL(Session):
    """A session of a MySQL or MariaDB source."""

    def __init__(self, connection: "pymysql.Connection[Any]") -> None:
        self._connection = connection

    def columns(self, table: Table) -> dict[str, str]:
        """Column -> MySQL's name of its type without a length, with `unsigned` where it is."""
        # Which error this one gives tells a table that is not there from one that we may not read.
        self._rows(f"select * from {_relation(table)} limit 0", table)
        schema, _, name = table.path.rpartition(".")
        where = f"table_schema = {_text(schema) if schema else 'database()'} and table_name = {_text(name)}"
        rows = self._rows(
            f"select column_name, data_type, column_type from information_schema.columns where {where}", table
        )
        return {
            name: kind + (" unsigned" if "unsigned" in spelled and kind in UNQUOTED else "")
            for name, kind, spelled in rows
        }

    def count(self, table: Table, kinds: dict[str, str], window: Window) -> int:
        return int(self._rows(f"select count(*) {_from(table, window)}", table)[0][0])

    def schema(self, table: Table, kinds: dict[str, str]) -> pa.Schema:
        return guaranteed_schema(table, kinds, GUARANTEES, _kept(table, kinds))

    def batches(self, table: Table, kinds: dict[str, str], window: Window, schema: pa.Schema) -> Batches:
        statement = f"select {line(table, kinds)} {_from(table, window)}"
        try:
            with _stream(self._connection, statement) as cursor:
                yield from parse_csv(_blocks(cursor, table), table, schema)
        except pymysql.MySQLError as error:
            raise _failed(table, error) from None

    def _rows(self, statement: str, table: Table) -> tuple[tuple[Any, ...], ...]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
                return tuple(cursor.fetchall())
        except pymysql.MySQLError as error:
            raise _failed(table, error) from None


@contextmanager
def _stream(connection: "pymysql.Connection[Any]", statement: str) -> Iterator[SSCursor]:
    cursor = connection.cursor(SSCursor)
    cursor.execute(statement)
    try:
        yield cursor
    finally:
        # Whoever stops early closes the connection; PyMySQL would first read all that the server still has to send.
        cursor._result.unbuffered_active = False  # type: ignore[attr-defined]


def _blocks(cursor: "SSCursor", table: Table) -> Iterator[bytes]:
    while rows := cursor.fetchmany(BATCH_ROWS):
        try:
            yield b"\n".join([line for (line,) in rows]) + b"\n"
        except TypeError:  # a line that is NULL
            raise ContractError(
                f"{table.source}.{table.name}: a row of {table.path} is longer than max_allowed_packet of the server, or "
                "a text in it is not in its column's character set; ask the owner to raise the one or to mend the other"
            ) from None


def _failed(table: Table, error: pymysql.MySQLError) -> Exception:
    """Our error for the server's, whose text may quote a value."""
    code = error.args[0] if error.args else 0
    if code in NO_TABLE:
        return missing_columns(table, [f"the table {table.path}"], "the database")
    if code in REFUSED:
        return SourceRefusedError(f"{table.source}: our account may not read {table.path}; ask its owner for SELECT")
    if code in OUT_OF_TIME:
        return interrupted(table, f"it took longer than {TIME_LIMIT_SECONDS // 60} minutes")
    return interrupted(table, f"{type(error).__name__} {code}")


def _from(table: Table, window: Window) -> str:
    return f"from {_relation(table)} where {condition(table, window, _quote, _moment)}"


def _relation(table: Table) -> str:
    return ".".join(_quote(part) for part in table.path.split("."))


def _quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(value: str) -> str:
    return "_utf8mb4 0x" + value.encode().hex() if value else "''"


def _moment(moment: datetime) -> str:
    return f"'{moment:%Y-%m-%d %H:%M:%S.%f}'"


def line(table: Table, kinds: dict[str, str]) -> str:
    """SQL for a row as a line of CSV. Bytes throughout, so that no two collations meet; 0x22 is a quote, 0x2C a comma.

    Where the server cannot spell a value it makes it NULL, and with it the whole line, which is then refused: only a
    column that is NULL itself becomes nothing.
    """
    fields = [_field(table, column, kinds[column.path]) for column in table.columns]
    if kept := _kept(table, kinds):
        members = ", ".join(f"{_text(path)}, {_member(_quote(path), kinds[path])}" for path in kept)
        fields.append(_quoted(f"json_object({members})"))
    return f"concat({', 0x2C, '.join(fields)})"


def _kept(table: Table, kinds: dict[str, str]) -> list[str]:
    """Columns that the contract does not know and `_extra` takes: all but bytes (photographs, scans) and shapes."""
    return [path for path in unknown_columns(table, kinds) if kinds[path] not in BINARY | SHAPES]


def _member(name: str, kind: str) -> str:
    return name if kind == "json" else _spelled(name, kind, kind == "timestamp")


def _field(table: Table, column: Column, kind: str) -> str:
    name = _quote(column.path)
    if kind in SHAPES:
        raise ContractError(
            f"{table.source}.{table.name}: {column.path} is a {kind}, which has no text; "
            f"ask the owner for a view with st_astext({column.path})"
        )
    text = _spelled(name, kind, with_offset=kind == "timestamp" and column.data_type == "timestamptz")
    value = f"cast({text} as binary)" if kind in UNQUOTED else _quoted(text)
    return f"if({name} is null, '', {value})"


def _spelled(name: str, kind: str, with_offset: bool) -> str:
    if kind in BINARY:
        return f"hex({name})"
    # Adding zero makes a number of bits, and gives a float all of its digits.
    exact = f"{name} + 0e0" if "float" in kind or "double" in kind else f"{name} + 0" if kind == "bit" else name
    text = f"convert({exact} using utf8mb4)"
    return f"concat({text}, '{OFFSET}')" if with_offset else text


def _quoted(text: str) -> str:
    return f"concat(0x22, replace(cast({text} as binary), 0x22, 0x2222), 0x22)"
