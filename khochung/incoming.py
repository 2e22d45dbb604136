"""The temporary table `incoming`: one landed delivery on its way into `raw`, inside the transaction of its load.

COPY brings the rows, what cannot be kept is set aside in `raw.refused`, of several rows with one key one stays, and the
rest gets the types of the contract.
"""

from collections.abc import Iterable
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv
from psycopg import sql

from khochung import extract, raw
from khochung.contract import Column, Table

Connection = psycopg.Connection[tuple[Any, ...]]


def _staged_type(column: Column, schema: pa.Schema) -> str:
    """The contract's type where the value is known to have it, else text until `_refuse` has looked at it."""
    field = schema.field(column.name)
    known = not pa.types.is_string(field.type) or extract.source_type(field) == column.data_type
    return column.data_type if known else "text"


def copy(connection: Connection, table: Table, batches: Iterable[pa.RecordBatch]) -> int:
    """Landed rows into the temporary table `incoming`, in their order. Returns the number of rows."""
    rows = 0
    names = raw.names(column.name for column in table.columns)
    options = pacsv.WriteOptions(include_header=False)
    iterator = iter(batches)
    first = next(iterator, None)
    schema = first.schema if first is not None else pa.schema([(column.name, pa.string()) for column in table.columns])
    types = [(column.name, _staged_type(column, schema)) for column in table.columns]
    declared = sql.SQL(", ").join(sql.SQL(f"{{}} {kind}").format(sql.Identifier(name)) for name, kind in types)
    connection.execute(
        sql.SQL("create temp table incoming ({}, _row_no bigint generated always as identity) on commit drop").format(
            declared
        )
    )
    if first is None:
        return 0
    copy_statement = sql.SQL("copy incoming ({}) from stdin (format csv)").format(names)
    with connection.cursor() as cursor, cursor.copy(copy_statement) as copy:
        for batch in _chain(first, iterator):
            sink = pa.BufferOutputStream()
            pacsv.write_csv(batch, sink, options)
            copy.write(memoryview(sink.getvalue()))
            rows += batch.num_rows
    return rows


def _chain(first: pa.RecordBatch, rest: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    yield first
    yield from rest


def _staged(connection: Connection) -> dict[str, str]:
    """Column -> type of `incoming` as it stands."""
    rows = connection.execute(
        "select attname, format_type(atttypid, null) from pg_attribute where attrelid = 'incoming'::regclass and attnum > 0"
    )
    return dict(rows.fetchall())


def refuse(connection: Connection, table: Table, load_id: int) -> int:
    """Set aside rows that cannot be kept: a key is missing, or a value does not fit the contract's type."""
    staged = _staged(connection)
    checks: list[tuple[str, str, sql.Composable]] = [
        (
            column.name,
            "KEY_MISSING",
            sql.SQL("coalesce(btrim({}::text), '') in ('', 'null')").format(sql.Identifier(column.name)),
        )
        for column in table.columns
        if column.name in table.key
    ]
    checks += [
        (column.name, "TYPE_MISMATCH", _misfit(column))
        for column in table.columns
        if staged[column.name] == "text" and column.data_type != "text"
    ]
    # One pass over all rows tells whether there is anything to set aside at all.
    suspect = sql.SQL(" or ").join(condition for _, _, condition in checks)
    if not scalar(connection, sql.SQL("select exists (select from incoming where {})::integer").format(suspect)):
        return 0
    return sum(_set_aside(connection, table, load_id, code, field, condition) for field, code, condition in checks)


def give_types(connection: Connection, table: Table) -> None:
    """From here on `incoming` holds the values in the contract's types: one rewrite, and none where it already does."""
    staged = _staged(connection)
    changes = [
        sql.SQL("alter column {name} type {kind} using {typed}").format(
            name=sql.Identifier(column.name), kind=sql.SQL(column.data_type), typed=raw.typed(table, column.name)
        )
        for column in table.columns
        if staged[column.name] == "text" and column.data_type != "text"
    ]
    if changes:
        connection.execute(sql.SQL("alter table incoming {}").format(sql.SQL(", ").join(changes)))
    # Without statistics the joins that follow become nested loops, and a load takes the square of its rows.
    connection.execute("analyze incoming")


def _misfit(column: Column) -> sql.Composable:
    """True for a text that is no value of the column's type; `today` and `infinity` are no dates of a source."""
    name = sql.Identifier(column.name)
    invalid = sql.SQL("not pg_input_is_valid({}, {})").format(name, sql.Literal(column.data_type))
    if column.data_type not in ("date", "timestamp", "timestamptz"):
        return invalid
    return sql.SQL("({} or {} !~ '^ *[0-9]')").format(invalid, name)


def _set_aside(
    connection: Connection, table: Table, load_id: int, code: str, field: str | None, condition: sql.Composable
) -> int:
    key = raw.record_key(table)
    statement = sql.SQL(
        """
        with gone as (
            delete from incoming where {condition} returning *
        ),
        set_aside as (
            insert into raw.refused
                (source_name, table_name, code, record_key, field, payload, payload_hash, first_load_id, last_load_id)
            select {source}, {table}, {code}, {key}, {field}, max(payload::text)::jsonb, payload_hash, {load}, {load}
            from (
                select *, to_jsonb(gone) - '_row_no' as payload, md5((to_jsonb(gone) - '_row_no')::text)::uuid as payload_hash
                from gone
            ) as refused
            group by {key}, payload_hash
            on conflict (source_name, table_name, code, record_key, field, payload_hash)
            do update set last_load_id = excluded.last_load_id, seen = refused.seen + 1
        )
        select count(*) from gone
        """
    ).format(
        condition=condition,
        source=sql.Literal(table.source),
        table=sql.Literal(table.name),
        code=sql.Literal(code),
        key=key,
        field=sql.Literal(field),
        load=sql.Literal(load_id),
    )
    return scalar(connection, statement)


def keep_one_per_key(connection: Connection, table: Table, load_id: int) -> int:
    """Of several rows with one key the one with the latest cursor stays, else the last sent; the others are set aside."""
    # As the values that they are: two spellings of one number or day are one key.
    key = sql.SQL(", ").join(raw.typed(table, name) for name in table.key)
    newest = [sql.SQL("{} desc nulls last").format(raw.typed(table, table.cursor))] if table.cursor else []
    order = sql.SQL(", ").join([*newest, sql.SQL("_row_no desc")])
    content = sql.SQL("md5(row({})::text)").format(raw.names(column.name for column in table.columns))
    connection.execute(
        sql.SQL(
            """
            create temp table surplus on commit drop as
            select _row_no, kept_content is not distinct from content as is_exact
            from (
                select
                    _row_no, {content} as content, row_number() over same_key as place,
                    first_value({content}) over same_key as kept_content
                from incoming
                where ({key}) in (select {key} from incoming group by {key} having count(*) > 1)
                window same_key as (partition by {key} order by {order})
            ) as ranked
            where place > 1
            """
        ).format(content=content, key=key, order=order)
    )
    duplicates = 0
    for code, exact in (("KEY_DUPLICATE_EXACT", True), ("KEY_DUPLICATE_CONFLICT", False)):
        condition = sql.SQL("_row_no in (select _row_no from surplus where is_exact = {})").format(sql.Literal(exact))
        duplicates += _set_aside(connection, table, load_id, code, None, condition)
    return duplicates


def scalar(connection: Connection, statement: sql.SQL | sql.Composed) -> int:
    """The one number that a statement yields."""
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0
