"""Landing: what a source sent, as immutable Parquet named by its content, with a manifest beside it.

Layout: `landing/<source>/<table>/<as_of>/<sha256>.parquet` and `<sha256>.json`; where a source still holds what it held on
an earlier day, a manifest alone, which names the file of then. Files are written under a temporary
name and renamed, so a killed extraction leaves nothing that a load could take for whole. `loads.jsonl` beside the days
has one manifest a line, in the order in which they were loaded: with it the warehouse can be made anew from here.
"""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from khochung.ahead import some_ahead
from khochung.contract import Table
from khochung.digest import sha256
from khochung.errors import LoadError
from khochung.extract import EXTRA, Delivery, Window, with_path
from khochung.landed import Wanted
from khochung.settings import TIMEZONE, Settings

ROW_GROUP_ROWS = 100_000
BATCH_ROWS = 20_000  # as many are read at a time
SAMPLE_ROWS = 10_000
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Manifest(BaseModel):
    """What one landed file holds and how it was read. Times carry their zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    table: str
    file: str
    sha256: str
    bytes: int
    rows: int
    source_rows: int | None
    origin: str
    origin_sha256: str | None
    origin_encoding: str | None = None
    as_of: date
    window_start: datetime | None
    window_end: datetime
    contract_sha256: str
    unknown_fields: list[str]
    extracted_at: datetime
    began_at: datetime | None = None
    after_load: int | None = None
    """Newest load of the table when the reading began; one that came between makes this reading an older one."""


def write(settings: Settings, table: Table, window: Window, delivery: Delivery, after_load: int | None = None) -> Path:
    """Consume `delivery` into an immutable file; returns the path of its manifest.

    The same content on the same day lands on the same name, and the manifest tells of the newest reading.
    Raises LoadError when the disk is full, and what the connector raises; then nothing has landed.
    """
    with _told(table.source, table.name):
        return _write(settings, table, window, delivery, after_load)


@contextmanager
def _told(source: str, table: str) -> Iterator[None]:
    """A full disk, in words that say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise LoadError(
            f"{source}.{table}: disk full while landing ({os.strerror(error.errno)}); nothing has landed; "
            "make room below the folder landing/ or enlarge its disk, and run it again"
        ) from error


def _write(settings: Settings, table: Table, window: Window, delivery: Delivery, after_load: int | None) -> Path:
    began = datetime.now(TIMEZONE)
    remove_partials(settings, table.source, table.name)
    folder = settings.landing / table.source / table.name / window.as_of.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    with _partial(folder) as stream:
        rows = _write_parquet(stream, _landed_schema(table, delivery.schema), delivery)
        partial = Path(stream.name)
        digest = sha256(partial)
        final = folder / f"{digest}.parquet"
        os.replace(partial, final)
    return _write_manifest(
        folder,
        Manifest(
            source=table.source,
            table=table.name,
            file=str(final.relative_to(settings.landing)),
            sha256=digest,
            bytes=final.stat().st_size,
            rows=rows,
            source_rows=delivery.counted,
            origin=delivery.origin,
            origin_sha256=delivery.origin_sha256,
            origin_encoding=delivery.encoding,
            as_of=window.as_of,
            window_start=window.start,
            window_end=window.end,
            contract_sha256=table.sha256,
            unknown_fields=sorted(delivery.unknown_fields),
            extracted_at=datetime.now(TIMEZONE),
            began_at=began,
            after_load=after_load,
        ),
    )


def repeat(settings: Settings, window: Window, earlier: Manifest, after_load: int | None = None) -> Path:
    """Note that the source still holds what `earlier` brought: a manifest of today over the file of then.

    Raises LoadError when the disk is full.
    """
    folder = settings.landing / earlier.source / earlier.table / window.as_of.isoformat()
    now = datetime.now(TIMEZONE)
    changes = {
        "as_of": window.as_of,
        "window_start": window.start,
        "window_end": window.end,
        "extracted_at": now,
        "began_at": now,
        "after_load": after_load,
    }
    with _told(earlier.source, earlier.table):
        folder.mkdir(parents=True, exist_ok=True)
        return _write_manifest(folder, earlier.model_copy(update=changes))


def is_whole(settings: Settings, manifest: Manifest) -> bool:
    """Whether the landed file still is what was landed."""
    path = settings.landing / manifest.file
    return path.exists() and sha256(path) == manifest.sha256


def _write_manifest(folder: Path, manifest: Manifest) -> Path:
    path = folder / f"{manifest.sha256}.json"
    with _partial(folder) as stream:
        stream.write(manifest.model_dump_json(indent=2).encode() + b"\n")
        stream.flush()
        os.replace(stream.name, path)
    return path


@contextmanager
def _partial(folder: Path) -> Iterator[BinaryIO]:
    """A new file to be renamed when it is whole, and removed when it is not. Locked as long as somebody writes to it."""
    path = folder / f".partial-{secrets.token_hex(8)}"
    with path.open("xb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        if path.exists():
            try:
                yield stream
            finally:
                path.unlink(missing_ok=True)
            return
    with _partial(folder) as another:  # somebody took it for abandoned before it was locked
        yield another


def remove_partials(settings: Settings, source: str = "*", table: str = "*") -> int:
    """Remove what killed extractions have left. Returns how many; a file that somebody writes to is left alone."""
    removed = 0
    for path in settings.landing.glob(f"{source}/{table}/*/.partial-*"):
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
            removed += 1
    return removed


def note_loads(settings: Settings, manifests: list[Manifest]) -> None:
    """Add loads of one table to its journal. The caller holds the table's lock. Raises LoadError when it cannot."""
    path = _journal(settings, manifests[0].source, manifests[0].table)
    text = "".join(manifest.model_dump_json() + "\n" for manifest in manifests)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as stream:
            stream.truncate(len(_whole_lines(path)))
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise LoadError(
            f"{manifests[0].source}.{manifests[0].table}: loaded, but {path.name} could not be written "
            f"({os.strerror(error.errno or 0)}); make room below the folder landing/ and run it again"
        ) from error


def loaded(settings: Settings, source: str, table: str) -> list[Manifest]:
    """The journal of a table: what was loaded, in that order. Raises LoadError when a line of it was altered."""
    path = _journal(settings, source, table)
    try:
        return [Manifest.model_validate_json(line) for line in _whole_lines(path).splitlines()]
    except ValidationError as error:
        raise LoadError(f"{source}.{table}: {path.name} was altered; restore it from a backup of landing/") from error


def _whole_lines(path: Path) -> bytes:
    """Without a line that a machine which stopped left torn: the next load writes it again, from the ledger."""
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1]


def _journal(settings: Settings, source: str, table: str) -> Path:
    return settings.landing / source / table / "loads.jsonl"


def read_manifest(path: Path) -> Manifest:
    """The manifest at `path`. Raises LoadError when it is not there or not whole."""
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError) as error:
        raise LoadError(f"manifest {path.name} is missing or was altered; extract it again") from error


def batches(settings: Settings, manifest: Manifest, table: Table) -> Iterator[pa.RecordBatch]:
    """The landed rows in the contract's columns. Raises LoadError when the file's bytes are no longer what was landed."""
    path = settings.landing / manifest.file
    if not is_whole(settings, manifest):
        raise LoadError(
            f"{manifest.source}.{manifest.table}: landed file {path.name[:12]}… is missing or was altered; extract it again"
        )
    with pq.ParquetFile(path, pre_buffer=False) as file:
        wanted = Wanted.of(file, table, manifest.unknown_fields, manifest.origin)
        yield from map(wanted.take, file.iter_batches(BATCH_ROWS, columns=wanted.read, use_threads=False))


def _landed_schema(table: Table, schema: pa.Schema) -> pa.Schema:
    """The columns with their paths, and `_extra`, whether or not the connector has found unknown fields."""
    fields = [with_path(schema.field(column.name), column.path) for column in table.columns]
    return pa.schema([*fields, pa.field(EXTRA, pa.string())])


def _completed(batch: pa.RecordBatch) -> pa.RecordBatch:
    if EXTRA in batch.schema.names:
        return batch
    return batch.append_column(EXTRA, pa.nulls(batch.num_rows, pa.string()))


def _write_parquet(stream: BinaryIO, schema: pa.Schema, delivery: Delivery) -> int:
    """Fixed row groups, so that the same rows give the same bytes however the source cut its pages."""
    rows, groups = 0, _row_groups(delivery.batches, schema)
    first = next(groups)
    repeating = _repeating(first.slice(0, SAMPLE_ROWS))
    with pq.ParquetWriter(stream, schema, compression="zstd", compression_level=1, use_dictionary=repeating) as writer:
        for group in filter(len, chain([first], groups)):
            writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
            rows += group.num_rows
    stream.flush()
    os.fsync(stream.fileno())
    return rows


def _row_groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Whole row groups, one or more at a time, and the rest; an empty one where there are no rows."""
    held: list[pa.RecordBatch] = []
    for batch in some_ahead(batches):
        held.append(_completed(batch))
        waiting = sum(each.num_rows for each in held)
        if waiting >= ROW_GROUP_ROWS:
            table = pa.Table.from_batches(held, schema).combine_chunks()  # pages would end where chunks do
            whole = waiting - waiting % ROW_GROUP_ROWS
            yield table.slice(0, whole)
            held = table.slice(whole).to_batches()
    yield pa.Table.from_batches(held, schema).combine_chunks()


def _repeating(sample: pa.Table) -> list[str]:
    """Columns whose values repeat. For the others a dictionary is built in vain: more time, and a larger file."""
    if not sample.num_rows:
        return []
    distinct = {}
    for name, column in zip(sample.column_names, sample.columns, strict=True):
        values = column.combine_chunks()
        distinct[name] = pc.count_distinct(getattr(values, "storage", values)).as_py()  # an extension has no kernels
    return [name for name, number in distinct.items() if 2 * number <= sample.num_rows]
