"""PostgreSQL sources at COPY speed: one read-only, repeatable-read snapshot for the count and for the rows.

Rows travel as COPY text and are parsed by Arrow, so no Python object is made for a value.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from khochung.contract import Source, Table
from khochung.errors import SourceRefusedError, SourceUnavailableError
from khochung.extract import EXTRA, Window, missing_columns, typed_schema, with_source_type
from khochung.extract.database.session import (
    CONNECT_SECONDS,
    TIME_LIMIT_SECONDS,
    Batches,
    condition,
    cursor_column,
    interrupted,
    parse_csv,
    unknown_columns,
)


@contextmanager
def connect(source: Source, variable: str, address: str) -> Iterator["PostgreSQL"]:
    """A session in one snapshot. `address`: a URL or keywords, as libpq takes them."""
    try:
        connection = psycopg.connect(address, connect_timeout=CONNECT_SECONDS, application_name="khochung extract")
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[-1]
        refused = any(word in said for word in ("password", "authentication", "does not exist", "pg_hba"))
        kind = SourceRefusedError if refused else SourceUnavailableError
        raise kind(f"source {source.name}: {said}; check {variable}") from error
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute(f"set statement_timeout = '{TIME_LIMIT_SECONDS}s'")
        connection.execute("set datestyle = 'ISO'")
        connection.execute("set timezone = 'UTC'")
        yield PostgreSQL(connection)


class PostgreSQL:
    """A session of a PostgreSQL source."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def columns(self, table: Table) -> dict[str, str]:
        """Column -> PostgreSQL's name of its type, without a length or a scale."""
        try:
            cursor = self._connection.execute(sql.SQL("select * from {} limit 0").format(_relation(table)))
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
            raise missing_columns(table, [f"the table {table.path}"], "the database") from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise SourceRefusedError(
                f"{table.source}: our account may not read {table.path}; ask its owner for SELECT"
            ) from error
        kinds = {column.name: column.type_code for column in cursor.description or ()}
        names = self._connection.execute(
            "select oid, format_type(oid, null) from pg_type where oid = any(%s)", [list(kinds.values())]
        )
        spelled: dict[int, str] = dict(names.fetchall())
        return {name: spelled[kind] for name, kind in kinds.items()}

    def count(self, table: Table, kinds: dict[str, str], window: Window) -> int:
        counted = self._connection.execute(sql.SQL("select count(*) ") + _from(table, window)).fetchone()
        return int(counted[0]) if counted else 0

    def schema(self, table: Table, kinds: dict[str, str]) -> pa.Schema:
        """Typed columns; of those that travel as text we note where the source's type is the contract's."""
        fields = [
            with_source_type(field, column.data_type)
            if pa.types.is_string(field.type) and kinds[column.path] == column.data_type
            else field
            for field, column in zip(typed_schema(table), table.columns, strict=True)
        ]
        return pa.schema([*fields, pa.field(EXTRA, pa.string())] if unknown_columns(table, kinds) else fields)

    def batches(self, table: Table, kinds: dict[str, str], window: Window, schema: pa.Schema) -> Batches:
        wanted: list[sql.Composable] = [sql.Identifier(column.path) for column in table.columns]
        if unknown := unknown_columns(table, kinds):
            names = sql.SQL(", ").join(map(sql.Identifier, unknown))
            wanted.append(sql.SQL("(select row_to_json(extra.*) from (select {}) as extra)").format(names))
        columns = sql.SQL(", ").join(wanted)
        query = sql.SQL("copy (select {} {}) to stdout (format csv)").format(columns, _from(table, window))
        try:
            with self._connection.cursor().copy(query) as copy:
                yield from parse_csv(copy, table, schema)
        except psycopg.Error as error:  # its text may quote a value
            reason = f"it took longer than {TIME_LIMIT_SECONDS // 60} minutes"
            if not isinstance(error, psycopg.errors.QueryCanceled):
                reason = f"SQLSTATE {error.sqlstate or 'none'} ({type(error).__name__})"
            raise interrupted(table, reason) from None


def _from(table: Table, window: Window) -> sql.Composable:
    column = cursor_column(table)

    def literal(moment: datetime) -> str:
        is_local = column is not None and column.data_type == "timestamp"
        return sql.Literal(moment.replace(tzinfo=None) if is_local else moment).as_string()

    where = condition(table, window, lambda name: sql.Identifier(name).as_string(), literal)
    return sql.SQL("from {} where {}").format(_relation(table), sql.SQL(where))


def _relation(table: Table) -> sql.Composable:
    return sql.SQL(".").join(sql.Identifier(part) for part in table.path.split("."))
