"""PostgreSQL sources: binary COPY into Arrow batches by ADBC, in one read-only, repeatable-read snapshot.

No Python object is made for a value. What the driver has no exact Arrow type for is spelled by the server.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import date, datetime
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql
import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_manager import (
    AdbcConnection,
    AdbcStatement,
)  # its dbapi brings pandas along, half of a short read's time
from adbc_driver_manager._reader import AdbcRecordBatchReader  # the one reader whose errors keep their SQLSTATE
from adbc_driver_postgresql import StatementOptions
from psycopg import ProgrammingError, conninfo, sql

from khochung.contract import Column, Source, Table
from khochung.errors import ConfigurationError, SourceRefusedError, SourceUnavailableError
from khochung.extract import EXTRA, Window, missing_columns, typed_schema, with_source_type
from khochung.extract.database.session import (
    CONNECT_SECONDS,
    TIME_LIMIT_SECONDS,
    Batches,
    Session,
    condition,
    cursor_column,
    fit,
    interrupted,
    raise_misfit,
    unknown_columns,
)

BATCH_BYTES = 4 << 20
SESSION = (
    f"set statement_timeout = '{TIME_LIMIT_SECONDS}s'",
    "set datestyle = 'ISO'",
    "set timezone = 'UTC'",
    "begin transaction isolation level repeatable read, read only",
)
SPELLED_TYPES = {"timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone"}
# Types that the driver hands on as they are, and that turn into any type of a contract as their text would.
PLAIN = frozenset({"smallint", "integer", "bigint", "text", "character varying"})
EXACT = frozenset({"double precision", "boolean", "date", "timestamp", "timestamptz", "uuid", "numeric"})
# The number behind a day or a moment, how many of them a day has, and the days of the calendar.
DAY = {pa.date32(): (pa.int32(), 1)} | {
    pa.timestamp("us", zone): (pa.int64(), 86_400_000_000) for zone in (None, "UTC")
}
CALENDAR = range((date.min - date(1970, 1, 1)).days, (date.max - date(1970, 1, 1)).days + 1)
HASHES_ROWS = 14  # the first version that does
BROAD = frozenset({"numeric", "real", "double precision"})  # types that hold one value in several ways
NO_TABLE, NO_RIGHT, CANCELED = ("42P01", "3F000"), "42501", "57014"


@contextmanager
def connect(source: Source, variable: str, address: str) -> Iterator["PostgreSQL"]:
    """A session in one snapshot. `address`: a URL or keywords, as libpq takes them."""
    try:
        keywords = conninfo.make_conninfo(
            address, connect_timeout=CONNECT_SECONDS, application_name="khochung extract", client_encoding="UTF8"
        )
    except ProgrammingError:
        raise ConfigurationError(f"{variable} is not a libpq address: expected postgresql://…") from None
    with ExitStack() as opened:
        try:
            database = opened.enter_context(closing(adbc_driver_postgresql.connect(keywords)))
            connection = opened.enter_context(closing(AdbcConnection(database)))
        except adbc_driver_manager.Error as error:
            said = " ".join(str(error).split()).removeprefix("IO: [libpq] Failed to connect: ")
            refused = any(word in said for word in ("password", "authentication", "does not exist", "pg_hba"))
            kind = SourceRefusedError if refused else SourceUnavailableError
            raise kind(f"source {source.name}: {said}; check {variable}") from None
        for statement in SESSION:
            with closing(AdbcStatement(connection)) as setting:
                setting.set_sql_query(statement)
                setting.execute_update()
        yield PostgreSQL(connection)


class PostgreSQL(Session):
    """A session of a PostgreSQL source."""

    def __init__(self, connection: AdbcConnection) -> None:
        self._connection = connection

    def columns(self, table: Table) -> dict[str, str]:
        """Column -> PostgreSQL's name of its type, without a length or a scale."""
        # Which error this one gives tells a table that is not there from one that we may not read.
        self._rows(f"select * from {_relation(table)} limit 0", table)
        name = sql.Literal(_relation(table)).as_string()
        described = self._rows(
            "select attname::text, format_type(atttypid, null) from pg_attribute "
            f"where attrelid = to_regclass({name}) and attnum > 0 and not attisdropped order by attnum",
            table,
        )
        return dict(described)

    def count(self, table: Table, kinds: dict[str, str], window: Window) -> int:
        return int(self._rows(f"select count(*) {_from(table, window)}", table)[0][0])

    def checksum(self, table: Table, kinds: dict[str, str], window: Window) -> str | None:
        """Made where the rows are, by all its workers; a server before 14 has no such function."""
        version = int(self._rows("select current_setting('server_version_num')", table)[0][0]) // 10_000
        if version < HASHES_ROWS:
            return None
        # Equal is not the same: 1.0 and 1.00 are equal numbers, 0 and -0 too.
        values = [f"{value}::text" if kind in BROAD else value for value, kind in self._values(table, kinds)]
        digested = f"select hash_record_extended(row({', '.join(values)}), 0) as digest {_from(table, window)}"
        found = self._rows(
            f"select count(*)::text, bit_xor(digest)::text, sum(digest)::text from ({digested}) as digested", table
        )
        return hashlib.sha256(repr((version, values, found)).encode()).hexdigest()

    def schema(self, table: Table, kinds: dict[str, str]) -> pa.Schema:
        """Typed columns; of those that travel as text we note where the source's type is the contract's."""
        fields = []
        for field, column in zip(typed_schema(table), table.columns, strict=True):
            if kinds[column.path] == column.data_type == "uuid":
                field = pa.field(field.name, pa.uuid())
            elif pa.types.is_string(field.type) and kinds[column.path] == column.data_type:
                field = with_source_type(field, column.data_type)
            fields.append(field)
        return pa.schema([*fields, pa.field(EXTRA, pa.string())] if unknown_columns(table, kinds) else fields)

    def batches(self, table: Table, kinds: dict[str, str], window: Window, schema: pa.Schema) -> Batches:
        values = ", ".join(value for value, _ in self._values(table, kinds))
        with self._reader(f"select {values} {_from(table, window)}", table) as reader:
            for batch in reader:
                yield _checked(fit(batch, table, schema), table)

    def _values(self, table: Table, kinds: dict[str, str]) -> Iterator[tuple[str, str]]:
        """What is selected, with the source's name of its type: the contract's columns, then the others as one."""
        for column in table.columns:
            yield _expression(column, kinds[column.path]), kinds[column.path]
        if unknown := unknown_columns(table, kinds):
            names = ", ".join(map(_quote, unknown))
            yield f"(select row_to_json(extra.*)::text from (select {names}) as extra)", "text"

    def _rows(self, statement: str, table: Table) -> list[tuple[Any, ...]]:
        with self._reader(statement, table) as reader:
            return [row for batch in reader for row in zip(*(each.to_pylist() for each in batch.columns), strict=True)]

    @contextmanager
    def _reader(self, statement: str, table: Table) -> Iterator[pa.RecordBatchReader]:
        try:
            with closing(AdbcStatement(self._connection)) as asked:
                asked.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(BATCH_BYTES)})
                asked.set_sql_query(statement)
                handle, _ = asked.execute_query()
                with AdbcRecordBatchReader._import_from_c(handle.address) as reader:
                    yield reader
        except adbc_driver_manager.Error as error:
            raise _failed(table, error) from None


def _failed(table: Table, error: adbc_driver_manager.Error) -> Exception:
    """Our error for the server's, whose text may quote a value."""
    if error.sqlstate in NO_TABLE:
        return missing_columns(table, [f"the table {table.path}"], "the database")
    if error.sqlstate == NO_RIGHT:
        return SourceRefusedError(f"{table.source}: our account may not read {table.path}; ask its owner for SELECT")
    if error.sqlstate == CANCELED:
        return interrupted(table, f"it took longer than {TIME_LIMIT_SECONDS // 60} minutes")
    return interrupted(table, f"SQLSTATE {error.sqlstate or 'none'} ({type(error).__name__})")


def _expression(column: Column, kind: str) -> str:
    name = _quote(column.path)
    is_same = column.data_type in EXACT and kind == SPELLED_TYPES.get(column.data_type, column.data_type)
    if kind in PLAIN or is_same:
        return name
    # As its type spells it: a cast would cut blanks off `character` and add a mask to `inet`.
    return f"case when {name} is distinct from null then concat({name}) end"


def _checked(batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
    """Raises ContractError for what is no day of a calendar (infinity, before Christ) or no text."""
    for array, column in zip(batch.columns, table.columns, strict=False):
        if pa.types.is_string(array.type):
            try:
                array.validate(full=True)  # a database without an encoding of its own holds any bytes
            except pa.ArrowInvalid:
                raise_misfit(table, [column])
        elif array.type in DAY:
            unit, size = DAY[array.type]
            found = pc.min_max(array.view(unit)).as_py()
            if any(day is not None and day // size not in CALENDAR for day in found.values()):
                raise_misfit(table, [column])
    return batch


def _from(table: Table, window: Window) -> str:
    column = cursor_column(table)

    def literal(moment: datetime) -> str:
        is_local = column is not None and column.data_type == "timestamp"
        return sql.Literal(moment.replace(tzinfo=None) if is_local else moment).as_string()

    return f"from {_relation(table)} where {condition(table, window, _quote, literal)}"


def _relation(table: Table) -> str:
    return ".".join(_quote(part) for part in table.path.split("."))


def _quote(name: str) -> str:
    return sql.Identifier(name).as_string()
