"""Load: one landed delivery into `raw`, in one transaction.

COPY into a temporary table, refuse rows that cannot be kept, merge by key, keep replaced versions, turn vanished keys
into tombstones, write the ledger and move the watermark: all of it commits together or not at all.

Whether a row has changed is decided by comparing it whole, byte by byte (`*=`): that is exact, and cheaper than making,
keeping and comparing a digest of every row.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from khochung import landing, raw, warehouse
from khochung.contract import Table
from khochung.contract import source as source_contract
from khochung.errors import ContractError, LoadError
from khochung.incoming import Incoming, scalar
from khochung.landing import Manifest
from khochung.settings import Settings

Connection = psycopg.Connection[tuple[Any, ...]]
SMALLEST_GUARDED = 100  # rows; below that a share means nothing
STALE_SHARE = 0.1  # of the rows; below that autovacuum refreshes the statistics in its own time
SESSION = {"timezone": "Asia/Ho_Chi_Minh", "datestyle": "ISO", "work_mem": "128MB", "maintenance_work_mem": "256MB"}


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


def whole_reading(settings: Settings, table: Table) -> Manifest | None:
    """The newest load, if it read the whole table under the contract as it stands: then `raw` holds what it brought."""
    with warehouse.connect(settings, "loader") as connection:
        newest = newest_load(connection, table)
    if newest and newest.manifest.window_start is None and newest.manifest.contract_sha256 == table.sha256:
        return newest.manifest
    return None


@dataclass(frozen=True)
class Standing:
    """How far a table is loaded, and the present day by the clock of the warehouse's server."""

    load_id: int
    day: date | None
    today: date


def standing(settings: Settings, table: Table) -> Standing:
    with warehouse.connect(settings, "loader") as connection:
        rows = connection.execute(
            "select coalesce(max(load_id), 0), max(as_of), (now() at time zone 'Asia/Ho_Chi_Minh')::date from ops.load "
            "where source_name = %s and table_name = %s",
            [table.source, table.name],
        ).fetchall()
    return Standing(*rows[0])


def note_inquiry(settings: Settings, table: Table, as_of: date) -> None:
    """Keep that the source was asked on `as_of` and had nothing new: silence of it and silence of ours differ."""
    with warehouse.connect(settings, "loader") as connection:
        connection.execute(
            "insert into ops.inquiry (source_name, table_name, as_of) values (%s, %s, %s) "
            "on conflict (source_name, table_name) "
            "do update set as_of = greatest(inquiry.as_of, excluded.as_of), asked_at = clock_timestamp()",
            [table.source, table.name, as_of],
        )


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
    with locked(settings, table) as connection:
        complete_journal(connection, settings, table)
        with explained(table, manifest), connection.transaction():
            counts = merge(connection, settings, table, manifest)
        if counts:
            landing.note_loads(settings, [manifest])
        return counts


@contextmanager
def locked(settings: Settings, table: Table) -> Iterator[Connection]:
    """A session that holds the table's lock until it ends: two loads of one table queue, those of two do not."""
    with closing(warehouse.connect(settings, "loader", autocommit=True)) as connection:
        for name, value in SESSION.items():
            connection.execute(sql.SQL("set {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        connection.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [f"khochung.load.{table.relation}"])
        yield connection


def complete_journal(connection: Connection, settings: Settings, table: Table) -> None:
    """Write what the ledger has and the journal lacks: a load was killed after its commit, or the journal is young."""
    journal, newest = landing.loaded(settings, table.source, table.name), newest_load(connection, table)
    if newest and not journal:
        landing.note_loads(settings, [each.manifest for each in _loads(connection, table)])
    elif newest and not any(newest.is_of(each) for each in reversed(journal)):
        landing.note_loads(settings, [newest.manifest])


@contextmanager
def explained(table: Table, manifest: Manifest) -> Iterator[None]:
    """What PostgreSQL says of the rows, in words that name the table and quote no row."""
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise LoadError(
            f"{table.source}.{table.name}: disk full at the warehouse; nothing loaded; make room for PostgreSQL, and run it again"
        ) from error
    except psycopg.DataError as error:  # its text quotes the row, so it is not passed on
        raise LoadError(
            f"{table.source}.{table.name}: PostgreSQL cannot hold a value of {manifest.origin} ({type(error).__name__}); "
            "nothing loaded; ask the owner to correct the row and to send it again"
        ) from None


def merge(
    connection: Connection, settings: Settings, table: Table, manifest: Manifest, is_replay: bool = False
) -> Counts | None:
    """One delivery within a transaction. No guard asks again what was accepted once."""
    started = time.monotonic()
    newest = newest_load(connection, table)
    if newest and newest.is_same_delivery(manifest):
        return None
    load_id = scalar(connection, sql.SQL("select nextval(pg_get_serial_sequence('ops.load', 'load_id'))"))
    if newest and newest.has_same_content(manifest):
        counts = _nothing_new(connection, table, manifest, newest, load_id)
    else:
        if not is_replay:
            _check_age(connection, table, manifest)
        counts = _merge(connection, settings, table, manifest, newest, load_id, is_replay)
    _write_ledger(connection, table, manifest, counts, load_id, time.monotonic() - started)
    return counts


@dataclass(frozen=True)
class Loaded:
    """A load as the ledger has it.

    Only the newest one of a table is asked whether a delivery is new: of the deliveries A, B, A the third is a change.
    """

    load_id: int
    manifest: Manifest
    counts: Counts

    def has_same_content(self, manifest: Manifest) -> bool:
        """The same bytes, read under the same contract: merged again they change nothing."""
        mine = self.manifest
        return (mine.sha256, mine.contract_sha256) == (manifest.sha256, manifest.contract_sha256)

    def is_same_delivery(self, manifest: Manifest) -> bool:
        mine = self.manifest
        same_window = (mine.as_of, mine.window_end) == (manifest.as_of, manifest.window_end)
        return self.has_same_content(manifest) and same_window

    def is_of(self, manifest: Manifest) -> bool:
        """Whether it loaded this very reading, under whatever contract."""
        return (self.manifest.file, self.manifest.extracted_at) == (manifest.file, manifest.extracted_at)


# Field of a manifest -> column of the ledger.
LEDGER = {
    "source": "source_name",
    "table": "table_name",
    "file": "landing_file",
    "sha256": "landing_sha256",
    "bytes": "landing_bytes",
    "rows": "extracted_rows",
    "source_rows": "source_rows",
    "origin": "origin",
    "origin_sha256": "origin_sha256",
    "origin_encoding": "origin_encoding",
    "as_of": "as_of",
    "window_start": "window_from",
    "window_end": "window_to",
    "contract_sha256": "contract_sha256",
    "unknown_fields": "unknown_fields",
    "extracted_at": "extracted_at",
}


def _loads(connection: Connection, table: Table, newest_only: bool = False) -> list[Loaded]:
    """Loads of the table, oldest first."""
    counted = [f"{field.name}_rows" for field in fields(Counts)]
    rows = connection.execute(
        sql.SQL(
            "select load_id, {}, {} from ops.load where source_name = %s and table_name = %s order by load_id desc {}"
        ).format(raw.names(LEDGER.values()), raw.names(counted), sql.SQL("limit 1" if newest_only else "")),
        [table.source, table.name],
    ).fetchall()
    size = 1 + len(LEDGER)
    return [
        Loaded(row[0], Manifest(**dict(zip(LEDGER, row[1:size], strict=True))), Counts(*row[size:]))
        for row in reversed(rows)
    ]


def newest_load(connection: Connection, table: Table) -> Loaded | None:
    """None also where the ledger outlived the table: then nothing is loaded."""
    if not raw.exists(connection, table):
        return None
    return next(iter(_loads(connection, table, newest_only=True)), None)


def _check_age(connection: Connection, table: Table, manifest: Manifest) -> None:
    """Of two readings of one window at once the older must not stand over the younger; rows of an append table do not age."""
    if table.load == "append" or manifest.after_load is None:
        return
    younger = connection.execute(
        "select load_id from ops.load where source_name = %s and table_name = %s and load_id > %s and extracted_at > %s "
        "and (window_from is null or window_from < %s) and (window_to > %s or %s::timestamptz is null)",
        [
            *(table.source, table.name, manifest.after_load, manifest.began_at),
            *(manifest.window_end, manifest.window_start, manifest.window_start),
        ],
    ).fetchone()
    if younger:
        raise LoadError(
            f"{table.source}.{table.name}: load {younger[0]} came in between and may be younger; nothing loaded; extract it again"
        )


def _nothing_new(connection: Connection, table: Table, manifest: Manifest, newest: Loaded, load_id: int) -> Counts:
    """Counts of a delivery whose bytes are those of the load before it; what that one refused stays refused."""
    _check_count(table, manifest, newest.counts)
    connection.execute(
        "update raw.refused set last_load_id = %s, seen = seen + 1 "
        "where source_name = %s and table_name = %s and last_load_id = %s",
        [load_id, table.source, table.name, newest.load_id],
    )
    before = newest.counts
    kept = before.inserted + before.updated + before.unchanged
    return replace(before, inserted=0, updated=0, unchanged=kept, tombstoned=0)


def _merge(
    connection: Connection,
    settings: Settings,
    table: Table,
    manifest: Manifest,
    newest: Loaded | None,
    load_id: int,
    is_replay: bool,
) -> Counts:
    counts = Counts()
    incoming = Incoming(connection, table, load_id, is_first=not raw.align(connection, table))
    counts.extracted = incoming.copy(landing.batches(settings, manifest, table))
    if counts.extracted != manifest.rows:
        raise LoadError(
            f"{table.source}.{table.name}: landed {manifest.rows} rows, copied {counts.extracted}; nothing loaded"
        )
    counts.refused = incoming.refuse()
    counts.duplicate = incoming.keep_one_per_key()
    kept = counts.extracted - counts.refused - counts.duplicate
    _check_count(table, manifest, counts)
    if incoming.is_first:
        incoming.give_types()
        incoming.become_the_table()
        counts.inserted = counts.current = kept
        return counts
    is_full = table.load == "snapshot" or (table.load == "cursor" and manifest.window_start is None)
    # A load of a window must not read the whole table to count it: the ledger knows.
    held = _held(connection, table) if is_full or newest is None else newest.counts.current
    if is_full and not is_replay:
        _check_floor(table, held, kept)
    incoming.give_types()
    counts.inserted, counts.updated, revived = _upsert(connection, table, load_id)
    counts.unchanged = kept - counts.inserted - counts.updated
    counts.current = held + counts.inserted + revived
    if table.load == "snapshot":
        guard = 1.0 if is_replay else table.delete_guard
        counts.tombstoned = _tombstone(connection, table, load_id, counts.current, guard)
        counts.current -= counts.tombstoned
    if counts.changed > STALE_SHARE * counts.current:
        connection.execute(sql.SQL("analyze raw.{}").format(sql.Identifier(table.relation)))
    return counts


def _check_count(table: Table, manifest: Manifest, counts: Counts) -> None:
    """A page that repeats a row makes extracted exceed the source's count; fewer rows than it counted is a loss."""
    expected = manifest.source_rows
    if expected is not None and counts.extracted < expected:
        raise LoadError(
            f"{table.source}.{table.name}: the source counts {expected} rows and sent {counts.extracted}; "
            "nothing loaded; run it again, and if it stays ask the owner"
        )


def _check_floor(table: Table, held: int, kept: int) -> None:
    """A full delivery that shrank too far is an accident at the source until somebody says otherwise."""
    if held >= SMALLEST_GUARDED and kept < table.row_floor * held:
        raise LoadError(
            f"{table.source}.{table.name}: {kept} rows delivered, {held} held, floor {table.row_floor:.0%}; "
            f"nothing loaded; ask the owner, or lower row_floor in {table.declared_in} if the fall is real"
        )


def _upsert(connection: Connection, table: Table, load_id: int) -> tuple[int, int, int]:
    """Merge `incoming` by key. Returns inserted, updated, and how many of the updated had been gone."""
    columns = [column.name for column in table.columns]
    target = sql.Identifier(table.relation)
    connection.execute(
        sql.SQL(
            """
            create temp table changed on commit drop as
            select {columns} from incoming
            where not exists (
                select from raw.{target} as held
                where {same_key} and {same_row} and held._deleted_at is null
            )
            """
        ).format(
            columns=raw.names(columns),
            target=target,
            same_key=raw.same_key(table, "held", "incoming"),
            same_row=raw.same_row(table, "held", "incoming"),
        )
    )
    replaced = [*columns, *raw.TECHNICAL]
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in replaced if name not in table.key
    )
    written, updated, revived = connection.execute(
        sql.SQL(
            """
            with written as (
                insert into raw.{target} as held ({names})
                select {columns}, {load}, now(), null from changed
                on conflict ({key}) do update set {assignments}
                returning {old}
            ),
            replaced as (
                insert into raw.{history} ({names}, _replaced_by_load_id)
                select {names}, {load} from written where _load_id is not null
                returning 1
            )
            select count(*), (select count(*) from replaced), count(_deleted_at) from written
            """
        ).format(
            target=target,
            history=sql.Identifier(raw.history(table)),
            names=raw.names(replaced),
            columns=raw.names(columns),
            key=raw.names(table.key),
            load=sql.Literal(load_id),
            assignments=assignments,
            old=sql.SQL(", ").join(sql.SQL("old.{0} as {0}").format(sql.Identifier(name)) for name in replaced),
        )
    ).fetchone() or (0, 0, 0)
    return written - updated, updated, revived


def _tombstone(connection: Connection, table: Table, load_id: int, current: int, guard: float) -> int:
    """Mark keys that a full delivery no longer holds. Raises LoadError when `guard` is their share or less is.

    A key whose row was refused is still at the source: its last good version stays.
    """
    target = sql.Identifier(table.relation)
    vanished = sql.SQL(
        "held._deleted_at is null and not exists (select from incoming where {same_key}) and {key} not in ("
        "select record_key from raw.refused where source_name = {source} and table_name = {table} "
        "and last_load_id = {load} and record_key is not null)"
    ).format(
        same_key=raw.same_key(table, "held", "incoming"),
        key=raw.record_key(table),
        source=sql.Literal(table.source),
        table=sql.Literal(table.name),
        load=sql.Literal(load_id),
    )
    # Two statements: in the filter of an aggregate the anti-join would be run row by row.
    gone = scalar(connection, sql.SQL("select count(*) from raw.{} as held where {}").format(target, vanished))
    if gone > max(guard * current, 0 if guard == 0 else 5):
        raise LoadError(
            f"{table.source}.{table.name}: {gone} of {current} keys vanished, guard {guard:.0%}; nothing loaded; "
            f"ask the owner, or raise delete_guard in {table.declared_in} if the removal is real"
        )
    if gone:
        names = [*(column.name for column in table.columns), *raw.TECHNICAL]
        connection.execute(
            sql.SQL(
                """
                with marked as (
                    update raw.{target} as held set _deleted_at = now(), _load_id = {load}, _loaded_at = now()
                    where {vanished}
                    returning {old}
                )
                insert into raw.{history} ({names}, _replaced_by_load_id) select {names}, {load} from marked
                """
            ).format(
                target=target,
                load=sql.Literal(load_id),
                vanished=vanished,
                history=sql.Identifier(raw.history(table)),
                names=raw.names(names),
                old=sql.SQL(", ").join(sql.SQL("old.{0} as {0}").format(sql.Identifier(name)) for name in names),
            )
        )
    return gone


def _write_ledger(
    connection: Connection, table: Table, manifest: Manifest, counts: Counts, load_id: int, seconds: float
) -> None:
    told = {column: getattr(manifest, name) for name, column in LEDGER.items()}
    counted = {f"{field.name}_rows": getattr(counts, field.name) for field in fields(counts)}
    row = told | counted | {"load_id": load_id, "load_mode": table.load, "seconds": seconds}
    connection.execute(
        sql.SQL("insert into ops.load ({}) overriding system value values ({})").format(
            raw.names(row), sql.SQL(", ").join(sql.Placeholder(name) for name in row)
        ),
        row,
    )
    if table.load == "cursor":
        # A window that begins behind the watermark would leave a gap, if it moved it.
        connection.execute(
            """
            insert into ops.watermark as held (source_name, table_name, watermark, load_id)
            select source_name, table_name, window_to, load_id from ops.load as load
            where load_id = %s and (window_from is null or exists (
                select from ops.watermark as reached
                where (reached.source_name, reached.table_name) = (load.source_name, load.table_name)
                    and reached.watermark >= load.window_from
            ))
            on conflict (source_name, table_name) do update
            set watermark = excluded.watermark, load_id = excluded.load_id
            where held.watermark < excluded.watermark
            """,
            [load_id],
        )


def _held(connection: Connection, table: Table) -> int:
    """Rows that are current: not tombstones."""
    statement = sql.SQL("select count(*) from raw.{} where _deleted_at is null")
    return scalar(connection, statement.format(sql.Identifier(table.relation)))
