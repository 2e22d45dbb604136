"""Load: one landed delivery into `raw`, in one transaction.

COPY into a temporary table, refuse rows that cannot be kept, merge by key and hash, keep replaced versions, turn
vanished keys into tombstones, write the ledger and move the watermark: all of it commits together or not at all.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv
from psycopg import sql

from khochung import landing, raw, warehouse
from khochung.contract import Column, Table
from khochung.contract import source as source_contract
from khochung.errors import ContractError, LoadError
from khochung.landing import Manifest
from khochung.settings import Settings

Connection = psycopg.Connection[tuple[Any, ...]]
SMALLEST_GUARDED = 100  # rows; below that a share means nothing


@dataclass
class Counts:
    """Rows of one load. extracted = refused + duplicate + inserted + updated + unchanged."""

    extracted: int = 0
    refused: int = 0
    duplicate: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    tombstoned: int = 0
    current: int = 0

    @property
    def changed(self) -> int:
        return self.inserted + self.updated + self.tombstoned

    def __str__(self) -> str:
        return ", ".join(f"{field.name} {getattr(self, field.name):,}" for field in fields(self))


def window_start(settings: Settings, table: Table) -> datetime | None:
    """Where the next cursor read starts: the watermark less the overlap. None: never loaded, read all."""
    if table.load != "cursor":
        return None
    with warehouse.connect(settings, "loader") as connection:
        row = connection.execute(
            "select watermark from ops.watermark where source_name = %s and table_name = %s", [table.source, table.name]
        ).fetchone()
    return row[0] - timedelta(hours=table.overlap_hours) if row else None


def known_files(settings: Settings, table: Table) -> frozenset[str]:
    """SHA-256 of the files loaded under the contract as it stands; a changed contract reads them again.

    For a snapshot only the newest one counts: an older file may come back into force.
    """
    newest = "order by load_id desc limit 1" if table.load == "snapshot" else ""
    with warehouse.connect(settings, "loader") as connection:
        rows = connection.execute(
            f"select origin_sha256 from ops.load where source_name = %s and table_name = %s "
            f"and contract_sha256 = %s and origin_sha256 is not null {newest}",
            [table.source, table.name, table.sha256],
        ).fetchall()
    return frozenset(row[0] for row in rows)


def load(settings: Settings, manifest_path: Path) -> Counts | None:
    """Merge one landed delivery. Returns its counts, or None when this very delivery was loaded before.

    Raises LoadError (a guard fired, counts do not add up) or ContractError; then nothing has changed.
    """
    manifest = landing.read_manifest(manifest_path)
    table = source_contract(manifest.source).table(manifest.table)
    if manifest.contract_sha256 != table.sha256:
        raise ContractError(
            f"{table.source}.{table.name}: landed under an earlier contract; extract it again under {table.declared_in}"
        )
    try:
        return _in_one_transaction(settings, table, manifest)
    except psycopg.errors.DiskFull as error:
        raise LoadError(
            f"{table.source}.{table.name}: disk full at the warehouse; nothing loaded; make room for PostgreSQL, and run it again"
        ) from error
    except psycopg.DataError as error:  # its text quotes the row, so it is not passed on
        raise LoadError(
            f"{table.source}.{table.name}: PostgreSQL cannot hold a value of {manifest.origin} ({type(error).__name__}); "
            "nothing loaded; ask the owner to correct the row and to send it again"
        ) from None


def _in_one_transaction(settings: Settings, table: Table, manifest: Manifest) -> Counts | None:
    with warehouse.connect(settings, "loader") as connection:
        connection.execute("set timezone = 'Asia/Ho_Chi_Minh'")
        connection.execute("set datestyle = 'ISO'")
        connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"khochung.load.{table.relation}"])
        if _loaded_before(connection, manifest):
            return None
        raw.ensure_tables(connection, table)
        return _merge(connection, settings, table, manifest)


def _loaded_before(connection: Connection, manifest: Manifest) -> bool:
    """The newest load of this table is this very delivery. An older equal one does not count: A, B, A is a change."""
    row = connection.execute(
        "select landing_sha256, as_of, contract_sha256, window_to from ops.load where source_name = %s and table_name = %s "
        "order by load_id desc limit 1",
        [manifest.source, manifest.table],
    ).fetchone()
    mine = (manifest.sha256, manifest.as_of, manifest.contract_sha256, manifest.window_end)
    return row is not None and row == mine


def _merge(connection: Connection, settings: Settings, table: Table, manifest: Manifest) -> Counts:
    started = time.monotonic()
    load_id = connection.execute("select nextval(pg_get_serial_sequence('ops.load', 'load_id'))").fetchone()[0]  # type: ignore[index]
    counts = Counts()
    counts.extracted = _copy(connection, table, landing.batches(settings, manifest))
    if counts.extracted != manifest.rows:
        raise LoadError(
            f"{table.source}.{table.name}: landed {manifest.rows} rows, copied {counts.extracted}; nothing loaded"
        )
    counts.refused = _refuse(connection, table, load_id)
    counts.duplicate = _keep_one_per_key(connection, table, load_id)
    _check_count(table, manifest, counts)
    _check_floor(connection, table, manifest, counts)
    counts.unchanged, counts.inserted, counts.updated = _upsert(connection, table, load_id)
    if counts.inserted:
        connection.execute(sql.SQL("analyze raw.{}").format(sql.Identifier(table.relation)))
    if table.load == "snapshot":
        counts.tombstoned = _tombstone(connection, table, load_id)
    counts.current = _held(connection, table)
    _write_ledger(connection, table, manifest, counts, load_id, time.monotonic() - started)
    return counts


def _staged_type(column: Column, schema: pa.Schema) -> str:
    return "text" if pa.types.is_string(schema.field(column.name).type) else column.data_type


def _copy(connection: Connection, table: Table, batches: Iterable[pa.RecordBatch]) -> int:
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
    connection.execute("analyze incoming")
    return rows


def _chain(first: pa.RecordBatch, rest: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    yield first
    yield from rest


def _refuse(connection: Connection, table: Table, load_id: int) -> int:
    """Set aside rows that cannot be kept: a key is missing, or a value does not fit the contract's type."""
    checks: list[tuple[str, str, sql.Composable]] = [
        (
            column.name,
            "KEY_MISSING",
            sql.SQL("coalesce(btrim({}::text), '') in ('', 'null')").format(sql.Identifier(column.name)),
        )
        for column in table.columns
        if column.name in table.key
    ]
    staged = {
        row[0]: row[1]
        for row in connection.execute(
            "select attname, format_type(atttypid, null) from pg_attribute where attrelid = 'incoming'::regclass and attnum > 0"
        )
    }
    checks += [
        (column.name, "TYPE_MISMATCH", _misfit(column))
        for column in table.columns
        if staged[column.name] == "text" and column.data_type != "text"
    ]
    refused = 0
    for field, code, condition in checks:
        refused += _set_aside(connection, table, load_id, code, field, condition)
    return refused


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
    return _scalar(connection, statement)


def _keep_one_per_key(connection: Connection, table: Table, load_id: int) -> int:
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


def _check_count(table: Table, manifest: Manifest, counts: Counts) -> None:
    """A page that repeats a row makes extracted exceed the source's count; fewer rows than it counted is a loss."""
    expected = manifest.source_rows
    if expected is not None and counts.extracted < expected:
        raise LoadError(
            f"{table.source}.{table.name}: the source counts {expected} rows and sent {counts.extracted}; "
            "nothing loaded; run it again, and if it stays ask the owner"
        )


def _check_floor(connection: Connection, table: Table, manifest: Manifest, counts: Counts) -> None:
    """A full delivery that shrank too far is an accident at the source until somebody says otherwise."""
    full = table.load == "snapshot" or (table.load == "cursor" and manifest.window_start is None)
    if not full:
        return
    current = _held(connection, table)
    kept = counts.extracted - counts.refused - counts.duplicate
    if current >= SMALLEST_GUARDED and kept < table.row_floor * current:
        raise LoadError(
            f"{table.source}.{table.name}: {kept} rows delivered, {current} held, floor {table.row_floor:.0%}; "
            f"nothing loaded; ask the owner, or lower row_floor in {table.declared_in} if the fall is real"
        )


def _upsert(connection: Connection, table: Table, load_id: int) -> tuple[int, int, int]:
    """Merge `incoming` by key and hash. Returns unchanged, inserted, updated; a row that came back counts as updated."""
    columns = [column.name for column in table.columns]
    target = sql.Identifier(table.relation)
    values = sql.SQL(", ").join(
        sql.SQL("{} as {}").format(raw.typed(table, name), sql.Identifier(name)) for name in columns
    )
    connection.execute(sql.SQL("create temp table fresh on commit drop as select {} from incoming").format(values))
    # Without statistics the joins below become nested loops, and a load takes the square of its rows.
    connection.execute("analyze fresh")
    connection.execute(
        sql.SQL(
            """
            create temp table changed on commit drop as
            select fresh.*, hashed._row_hash
            from fresh
            cross join lateral (select md5(row({columns})::text)::uuid as _row_hash) as hashed
            where not exists (
                select from raw.{target} as held
                where {same_key} and held._row_hash = hashed._row_hash and held._deleted_at is null
            )
            """
        ).format(
            columns=sql.SQL(", ").join(sql.SQL("fresh.{}").format(sql.Identifier(name)) for name in columns),
            target=target,
            same_key=raw.same_key(table, "held", "fresh"),
        )
    )
    held = _scalar(connection, sql.SQL("select count(*) from fresh"))
    replaced = [*columns, *raw.TECHNICAL]
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in replaced if name not in table.key
    )
    written, updated = connection.execute(
        sql.SQL(
            """
            with written as (
                insert into raw.{target} as held ({names})
                select {columns}, _row_hash, {load}, clock_timestamp(), null from changed
                on conflict ({key}) do update set {assignments}
                returning {old}
            ),
            replaced as (
                insert into raw.{history} ({names}, _replaced_by_load_id)
                select {names}, {load} from written where _load_id is not null
                returning 1
            )
            select (select count(*) from written), (select count(*) from replaced)
            """
        ).format(
            target=target,
            history=sql.Identifier(f"{table.relation}__history"),
            names=raw.names(replaced),
            columns=raw.names(columns),
            key=raw.names(table.key),
            load=sql.Literal(load_id),
            assignments=assignments,
            old=sql.SQL(", ").join(sql.SQL("old.{0} as {0}").format(sql.Identifier(name)) for name in replaced),
        )
    ).fetchone() or (0, 0)
    return held - written, written - updated, updated


def _tombstone(connection: Connection, table: Table, load_id: int) -> int:
    """Mark keys that a full delivery no longer holds. Raises LoadError above the contract's delete guard.

    A key whose row was refused is still at the source: its last good version stays.
    """
    target = sql.Identifier(table.relation)
    vanished = sql.SQL(
        "held._deleted_at is null and not exists (select from fresh where {same_key}) and {key} not in ("
        "select record_key from raw.refused where source_name = {source} and table_name = {table} "
        "and last_load_id = {load} and record_key is not null)"
    ).format(
        same_key=raw.same_key(table, "held", "fresh"),
        key=raw.record_key(table),
        source=sql.Literal(table.source),
        table=sql.Literal(table.name),
        load=sql.Literal(load_id),
    )
    # Two statements: in the filter of an aggregate the anti-join would be run row by row.
    gone = _scalar(connection, sql.SQL("select count(*) from raw.{} as held where {}").format(target, vanished))
    current = _held(connection, table)
    if gone > max(table.delete_guard * current, 0 if table.delete_guard == 0 else 5):
        raise LoadError(
            f"{table.source}.{table.name}: {gone} of {current} keys vanished, guard {table.delete_guard:.0%}; nothing loaded; "
            f"ask the owner, or raise delete_guard in {table.declared_in} if the removal is real"
        )
    if gone:
        names = [*(column.name for column in table.columns), *raw.TECHNICAL]
        connection.execute(
            sql.SQL(
                """
                with marked as (
                    update raw.{target} as held set _deleted_at = clock_timestamp(), _load_id = {load}, _loaded_at = clock_timestamp()
                    where {vanished}
                    returning {old}
                )
                insert into raw.{history} ({names}, _replaced_by_load_id) select {names}, {load} from marked
                """
            ).format(
                target=target,
                load=sql.Literal(load_id),
                vanished=vanished,
                history=sql.Identifier(f"{table.relation}__history"),
                names=raw.names(names),
                old=sql.SQL(", ").join(sql.SQL("old.{0} as {0}").format(sql.Identifier(name)) for name in names),
            )
        )
    return gone


def _write_ledger(
    connection: Connection, table: Table, manifest: Manifest, counts: Counts, load_id: int, seconds: float
) -> None:
    row = {
        "load_id": load_id,
        "source_name": table.source,
        "table_name": table.name,
        "load_mode": table.load,
        "origin": manifest.origin,
        "origin_sha256": manifest.origin_sha256,
        "landing_file": manifest.file,
        "landing_sha256": manifest.sha256,
        "landing_bytes": manifest.bytes,
        "as_of": manifest.as_of,
        "window_from": manifest.window_start,
        "window_to": manifest.window_end,
        "source_rows": manifest.source_rows,
        "unknown_fields": manifest.unknown_fields,
        "contract_sha256": manifest.contract_sha256,
        "extracted_at": manifest.extracted_at,
        "seconds": seconds,
    } | {f"{field.name}_rows": getattr(counts, field.name) for field in fields(counts)}
    connection.execute(
        sql.SQL("insert into ops.load ({}) overriding system value values ({})").format(
            raw.names(row), sql.SQL(", ").join(sql.Placeholder(name) for name in row)
        ),
        row,
    )
    if table.load == "cursor":
        connection.execute(
            """
            insert into ops.watermark as held (source_name, table_name, watermark, load_id) values (%s, %s, %s, %s)
            on conflict (source_name, table_name) do update
            set watermark = excluded.watermark, load_id = excluded.load_id
            where held.watermark < excluded.watermark
            """,
            [table.source, table.name, manifest.window_end, load_id],
        )


def _held(connection: Connection, table: Table) -> int:
    """Rows that are current: not tombstones."""
    statement = sql.SQL("select count(*) from raw.{} where _deleted_at is null")
    return _scalar(connection, statement.format(sql.Identifier(table.relation)))


def _scalar(connection: Connection, statement: sql.SQL | sql.Composed) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0
