"""The tables of schema `raw`: made from the contracts, and the pieces of SQL that name their columns and keys."""

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from khochung.contract import Table
from khochung.errors import ContractError
from khochung.places import declared_at

Connection = psycopg.Connection[tuple[Any, ...]]
TECHNICAL = {
    "_load_id": "bigint not null",
    "_loaded_at": "timestamptz not null",
    "_deleted_at": "timestamptz",
}


def align(connection: Connection, table: Table) -> bool:
    """Add columns that are new in the contract to the table and its history. False: the table is not there yet.

    Raises ContractError when a column's type in the warehouse differs from the contract's.
    """
    if not exists(connection, table):
        return False
    for name in (table.relation, history(table)):
        _align(connection, table, name)
    return True


def exists(connection: Connection, table: Table) -> bool:
    found = connection.execute("select to_regclass(%s)", [f"raw.{table.relation}"]).fetchone()
    return found is not None and found[0] is not None


def drop_tables(connection: Connection, table: Table) -> None:
    """Take the table, its history and its refused rows away, to be made anew in the same transaction."""
    for name in (table.relation, history(table)):
        connection.execute(sql.SQL("drop table if exists raw.{}").format(sql.Identifier(name)))
    connection.execute("delete from raw.refused where source_name = %s and table_name = %s", [table.source, table.name])


def history(table: Table) -> str:
    return f"{table.relation}__history"


def create_tables(connection: Connection, table: Table, kinds: Mapping[str, str], load_id: int) -> None:
    """Create `raw.<source>__<table>` with columns of these types, to be filled by load `load_id`, and its history.

    The table has no key yet (`add_key`): one sort of all rows is cheaper than a search for each.
    """
    defaults = {"_load_id": f" default {load_id}", "_loaded_at": " default now()"}
    technical = {name: kind + defaults.get(name, "") for name, kind in TECHNICAL.items()}
    _create(connection, table.relation, dict(kinds) | technical)
    final = {column.name: str(column.data_type) for column in table.columns}
    _create(connection, history(table), final | TECHNICAL | {"_replaced_by_load_id": "bigint not null"})


def add_key(connection: Connection, table: Table) -> None:
    """The primary key of the contract."""
    connection.execute(
        sql.SQL("alter table raw.{} add primary key ({})").format(sql.Identifier(table.relation), names(table.key))
    )


def has_key(connection: Connection, table: Table) -> bool:
    """True once `add_key` has run."""
    statement = "select 1 from pg_index where indrelid = to_regclass(%s) and indisprimary"
    return connection.execute(statement, [f"raw.{table.relation}"]).fetchone() is not None


def _create(connection: Connection, name: str, kinds: Mapping[str, str]) -> None:
    connection.execute(sql.SQL("create table raw.{} ({})").format(sql.Identifier(name), declared(kinds)))


def declared(kinds: Mapping[str, str]) -> sql.Composable:
    """Columns with their types, as in `create table`."""
    return sql.SQL(", ").join(sql.SQL(f"{{}} {kind}").format(sql.Identifier(column)) for column, kind in kinds.items())


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
                f"raw.{name}.{column.name} is {found} in the warehouse and {column.data_type} in {declared_at(table, [column])}; "
                "give the column a new name, or make the table anew from landing: "
                f"khochung replay {table.source} {table.name}"
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
