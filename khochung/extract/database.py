"""PostgreSQL sources at COPY speed: one read-only, repeatable-read snapshot for the count and for the rows.

Rows travel as COPY text and are parsed by Arrow, so no Python object is made for a value.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv
from psycopg import sql

from khochung.contract import Source, Table
from khochung.errors import ContractError, SourceRefusedError, SourceUnavailableError
from khochung.extract import Delivery, Window, missing_columns, typed_schema, with_source_type
from khochung.settings import TIMEZONE, required

STATEMENT_TIMEOUT_MS = 30 * 60 * 1000
BLOCK_BYTES = 1 << 20


@contextmanager
def read(source: Source, table: Table, window: Window, known: frozenset[str]) -> Iterator[list[Delivery]]:
    """The rows of one table or view. `known` is of no use here."""
    with _connect(source) as connection:
        columns = _present_columns(connection, table)
        missing = [column.path for column in table.columns if column.path not in columns]
        if missing:
            raise missing_columns(table, missing, table.path)
        condition, values = _condition(table, window)
        where = sql.SQL("from {} where ").format(_relation(table)) + condition
        counted = connection.execute(sql.SQL("select count(*) ") + where, values).fetchone()
        schema = _schema(table, columns)
        delivery = Delivery(schema, iter(()), table.path, counted=counted[0] if counted else None)
        delivery.unknown_fields = set(columns) - {column.path for column in table.columns}
        delivery.batches = _batches(connection, table, where, values, delivery.schema)
        yield [delivery]


@contextmanager
def _connect(source: Source) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    variable = f"KHOCHUNG_SOURCE_{source.name.upper()}_DSN"
    dsn = required(variable, f"the libpq address of source {source.name}")
    try:
        connection = psycopg.connect(dsn, connect_timeout=10, application_name="khochung extract")
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[-1]
        refused = any(word in said for word in ("password", "authentication", "does not exist", "pg_hba"))
        kind = SourceRefusedError if refused else SourceUnavailableError
        raise kind(f"source {source.name}: {said}; check {variable}") from error
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute(f"set statement_timeout = {STATEMENT_TIMEOUT_MS}")
        connection.execute("set datestyle = 'ISO'")
        connection.execute("set timezone = 'UTC'")
        yield connection


def _relation(table: Table) -> sql.Composable:
    return sql.SQL(".").join(sql.Identifier(part) for part in table.path.split("."))


def _schema(table: Table, columns: dict[str, str]) -> pa.Schema:
    """Typed columns; of those that travel as text we note where the source's type is the contract's."""
    return pa.schema(
        with_source_type(field, column.data_type)
        if pa.types.is_string(field.type) and columns[column.path] == column.data_type
        else field
        for field, column in zip(typed_schema(table), table.columns, strict=True)
    )


def _present_columns(connection: psycopg.Connection[tuple[Any, ...]], table: Table) -> dict[str, str]:
    """Column -> PostgreSQL's name of its type, without a length or a scale."""
    try:
        cursor = connection.execute(sql.SQL("select * from {} limit 0").format(_relation(table)))
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        raise missing_columns(table, [f"the table {table.path}"], "the database") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise SourceRefusedError(
            f"{table.source}: our account may not read {table.path}; ask its owner for SELECT"
        ) from error
    kinds = {column.name: column.type_code for column in cursor.description or ()}
    names = connection.execute(
        "select oid, format_type(oid, null) from pg_type where oid = any(%s)", [list(kinds.values())]
    )
    spelled: dict[int, str] = dict(names.fetchall())
    return {name: spelled[kind] for name, kind in kinds.items()}


def _condition(table: Table, window: Window) -> tuple[sql.Composable, list[Any]]:
    if table.cursor is None:
        return sql.SQL("true"), []
    column = next(column for column in table.columns if column.name == table.cursor)
    naive = column.data_type == "timestamp"
    bounds = [moment.astimezone(TIMEZONE) for moment in (window.start, window.end) if moment is not None]
    values = [moment.replace(tzinfo=None) if naive else moment for moment in bounds]
    name = sql.Identifier(column.path)
    upper = sql.SQL("{} < %s").format(name)
    if window.start is None:
        # A row without a cursor would never be read again: the first full read takes it.
        return sql.SQL("({} or {} is null)").format(upper, name), values
    return sql.SQL("{} >= %s and ").format(name) + upper, values


class _CopyStream(io.RawIOBase):
    """A readable file over the blocks of a COPY."""

    def __init__(self, blocks: Iterator[Any]) -> None:
        self._blocks, self._rest = blocks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._blocks, b""))
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _batches(
    connection: psycopg.Connection[tuple[Any, ...]],
    table: Table,
    where: sql.Composable,
    values: list[Any],
    schema: pa.Schema,
) -> Iterator[pa.RecordBatch]:
    names = sql.SQL(", ").join(sql.Identifier(column.path) for column in table.columns)
    query = sql.SQL("copy (select {} ").format(names) + where + sql.SQL(") to stdout (format csv)")
    convert = pacsv.ConvertOptions(
        column_types=schema,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
        timestamp_parsers=[pacsv.ISO8601],
    )
    options = pacsv.ReadOptions(column_names=schema.names, block_size=BLOCK_BYTES)
    parse = pacsv.ParseOptions(newlines_in_values=True)
    with connection.cursor().copy(query, values) as copy:
        first = next(iter(copy), None)
        if first is None:
            return
        stream = io.BufferedReader(_CopyStream(_chain(first, copy)), BLOCK_BYTES)
        try:
            with pacsv.open_csv(stream, options, parse, convert) as reader:
                yield from reader
        except pa.ArrowInvalid as error:  # its text quotes the value, so it is not passed on
            place = re.search(r"CSV column #(\d+)", str(error))
            suspects = [table.columns[int(place[1])]] if place else list(table.columns)
            raise ContractError(
                f"{table.source}.{table.name}: {table.path} holds a value that does not fit "
                f"{', '.join(f'{column.path} ({column.data_type})' for column in suspects)}; "
                f"correct `data_type` in {table.declared_in}, or ask the owner to correct the row"
            ) from None


def _chain(first: Any, rest: Any) -> Iterator[Any]:
    yield first
    yield from rest
