"""The tables of schema `raw`: made from the contracts, and the pieces of SQL that name their columns and keys."""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from khochung.contract import Table
from khochung.errors import ContractError

Connection = psycopg.Connection[tuple[Any, ...]]
TECHNICAL = {
    "_load_id": "bigint not null",
    "_loaded_at": "timestamptz not null",
    "_deleted_at": "timestamptz",
}


def ensure_tables(connection: Connection, table: Table) -> bool:
    """Create `raw.<source>__<table>` and its history from the contract, and add columns that are new in it.

    True: they were not there; the table has no key yet (`add_key`). Raises ContractError when a column's type in the
    warehouse differs from the contract's.
    """
    history = f"{table.relation}__history"
    found = connection.execute("select to_regclass(%s)", [f"raw.{table.relation}"]).fetchone()
    if found and found[0]:
        for name in (table.relation, history):
            _align(connection, table, name)
        return False
    _create(connection, table.relation, table, {})
    _create(connection, history, table, {"_replaced_by_load_id": "bigint not null"})
    return True


def add_key(connection: Connection, table: Table) -> None:
    """The primary key of a table that was filled first: one sort instead of a search for every row."""
    connection.execute(
        sql.SQL("alter table raw.{} add primary key ({})").format(sql.Identifier(table.relation), names(table.key))
    )


def _create(connection: Connection, name: str, table: Table, more: dict[str, str]) -> None:
    kinds = {column.name: str(column.data_type) for column in table.columns} | TECHNICAL | more
    columns = sql.SQL(", ").join(
        sql.SQL(f"{{}} {kind}").format(sql.Identifier(column)) for column, kind in kinds.items()
    )
    connection.execute(sql.SQL("create table raw.{} ({})").format(sql.Identifier(name), columns))


def _align(connection: Connection, table: Table, name: str) -> None:
    rows = connection.execute(
        "select attname, format_type(atttypid, null) from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [f"raw.{name}"],
    )
    present: dict[str, str] = dict(rows.fetchall())
    spelled = {"timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone"}
    for column in table.columns:
        found = present.get(column.name)
        if found is None:
            connection.execute(
                sql.SQL(f"alter table raw.{{}} add column {{}} {column.data_type}").format(
                    sql.Identifier(name), sql.Identifier(column.name)
                )
            )
        elif found != spelled.get(column.data_type, column.data_type):
            raise ContractError(
                f"raw.{name}.{column.name} is {found} in the warehouse and {column.data_type} in {table.declared_in}; "
                "give the column a new name, or migrate the table"
            )


def typed(table: Table, name: str | None) -> sql.Composable:
    column = next(column for column in table.columns if column.name == name)
    return sql.SQL(f"{{}}::{column.data_type}").format(sql.Identifier(column.name))


def record_key(table: Table) -> sql.Composable:
    """The key of a row as one text, parts joined by `|`: how people and the issue log name a record."""
    return sql.SQL(" || '|' || ").join(
        sql.SQL("coalesce({}::text, '')").format(sql.Identifier(name)) for name in table.key
    )


def same_row(table: Table, left: str, right: str) -> sql.Composable:
    """True where every column of the contract holds the same bytes, null beside null included."""
    rows = [sql.SQL(", ").join(sql.Identifier(side, column.name) for column in table.columns) for side in (left, right)]
    # The cast keeps PostgreSQL from taking this for a comparison column by column, which `*=` does not have.
    return sql.SQL("row({})::record *= row({})::record").format(*rows)


def names(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def same_key(table: Table, left: str, right: str) -> sql.Composable:
    return sql.SQL(" and ").join(
        sql.SQL("{}.{} = {}.{}").format(
            sql.Identifier(left), sql.Identifier(name), sql.Identifier(right), sql.Identifier(name)
        )
        for name in table.key
    )
