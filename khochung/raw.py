"""The tables of schema `raw`: made from the contracts, and the pieces of SQL that name their columns and keys."""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from khochung.contract import Table
from khochung.errors import ContractError

Connection = psycopg.Connection[tuple[Any, ...]]
TECHNICAL = {
    "_row_hash": "uuid not null",
    "_load_id": "bigint not null",
    "_loaded_at": "timestamptz not null",
    "_deleted_at": "timestamptz",
}


def ensure_tables(connection: Connection, table: Table) -> None:
    """Create `raw.<source>__<table>` and its history from the contract, and add columns that are new in it.

    Raises ContractError when a column's type in the warehouse differs from the contract's.
    """
    for name in (table.relation, f"{table.relation}__history"):
        columns: list[sql.Composable] = [
            sql.SQL(f"{{}} {column.data_type}").format(sql.Identifier(column.name)) for column in table.columns
        ]
        columns += [sql.SQL(f"{column} {kind}") for column, kind in TECHNICAL.items()]
        key = sql.SQL(", primary key ({})").format(names(table.key)) if name == table.relation else sql.SQL("")
        if name != table.relation:
            columns.append(sql.SQL("_replaced_by_load_id bigint not null"))
        connection.execute(
            sql.SQL("create table if not exists raw.{} ({}{})").format(
                sql.Identifier(name), sql.SQL(", ").join(columns), key
            )
        )
        _align(connection, table, name)


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


def names(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def same_key(table: Table, left: str, right: str) -> sql.Composable:
    return sql.SQL(" and ").join(
        sql.SQL("{}.{} = {}.{}").format(
            sql.Identifier(left), sql.Identifier(name), sql.Identifier(right), sql.Identifier(name)
        )
        for name in table.key
    )
