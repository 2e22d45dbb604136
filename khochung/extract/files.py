"""Dated file drops in a folder that the owner writes to and we only read: CSV, workbooks, JSON lines, also zipped.

A file's date is in its name (`_YYYYMMDD`, or `_YYYYMM` for a whole month). A snapshot table takes the newest file up
to the day read; an append table takes each file once, known again by its SHA-256. Everything stays text.
"""

import calendar
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from khochung.contract import FileFormat, Source, Table
from khochung.digest import sha256
from khochung.errors import ContractError, LoadError, SourceUnavailableError
from khochung.extract import Delivery, Window, archive, encodings, folders, jsonlines, text_schema
from khochung.extract.delimited import Csv
from khochung.extract.folders import Drop, Folder
from khochung.landing import DISK_FULL

_DATED = re.compile(r"(?<!\d)(\d{8}|\d{6})(?=\.[A-Za-z]+$)")
_log = logging.getLogger(__name__)


@contextmanager
def read(source: Source, table: Table, window: Window, known: frozenset[str]) -> Iterator[list[Delivery]]:
    """One delivery per waiting file, oldest first. Empty when nothing new waits."""
    form = table.format
    if form is None:
        raise ContractError(f"{table.source}.{table.name}: a file table needs `format:` in {table.declared_in}")
    folder = folders.opened(source)
    chosen = _chosen(folder, table, window)
    settled = folder.settled(chosen)
    for drop in chosen:
        if drop not in settled:
            _log.info("%s is still being written; left for the next run", drop.name)
    with TemporaryDirectory(prefix="khochung-") as room:
        yield list(_deliveries(folder, table, form, settled, known, Path(room)))


def _chosen(folder: Folder, table: Table, window: Window) -> list[Drop]:
    try:
        waiting = folder.waiting(table.path)
    except FileNotFoundError:
        waiting = []
    first = window.start.date() if window.start else date.min
    dated = sorted(
        ((day, drop) for drop in waiting if first <= (day := file_date(drop.name)) <= window.as_of),
        key=lambda each: each[0],
    )
    if not dated:
        raise SourceUnavailableError(
            f"source {table.source}: no file {table.path} dated up to {window.as_of} in its folder; ask the owner for it"
        )
    return [drop for _, drop in (dated[-1:] if table.load == "snapshot" else dated)]


def file_date(name: str) -> date:
    """The day that a dropped file describes; a month's file describes its last day.

    Raises ContractError when the name carries no date.
    """
    found = _DATED.search(name)
    if not found:
        raise ContractError(f"{name} carries no date: expected …_YYYYMMDD or …_YYYYMM before the extension")
    digits = found.group(1)
    year, month = int(digits[:4]), int(digits[4:6])
    try:
        return date(year, month, int(digits[6:]) if len(digits) == 8 else calendar.monthrange(year, month)[1])
    except (ValueError, calendar.IllegalMonthError) as error:
        raise ContractError(f"{name}: {digits} is no date; the owner must name it …_YYYYMMDD") from error


def _deliveries(
    folder: Folder, table: Table, form: FileFormat, drops: list[Drop], known: frozenset[str], room: Path
) -> Iterator[Delivery]:
    for drop in drops:
        with _enough_room(drop.name, room):
            path = folder.fetched(drop, room)
        digest = sha256(path)
        if folder.promised(drop) not in (None, digest):
            raise SourceUnavailableError(
                f"source {table.source}: {drop.name} is not the file that {drop.name}{folders.CHECKSUM} describes; "
                "ask the owner to send both again"
            )
        if digest in known:
            if not folder.local:
                path.unlink()
            continue
        delivery = Delivery(text_schema(table), iter(()), drop.name, digest)
        delivery.batches = _batches(folder, table, form, drop, path, room, delivery)
        yield delivery


def _batches(
    folder: Folder, table: Table, form: FileFormat, drop: Drop, path: Path, room: Path, delivery: Delivery
) -> Iterator[pa.RecordBatch]:
    members = [("", path)]
    if form.member:
        with _enough_room(drop.name, room):
            members = archive.unpack(path, form.member, drop.name, room)
    counted = 0
    for member, file in members:
        origin = f"{drop.name}/{member}" if member else drop.name
        for batch in _rows(file, table, form, origin, delivery):
            counted += batch.num_rows
            yield batch
    if folder.local and not folder.unchanged(drop):
        raise SourceUnavailableError(f"source {table.source}: {drop.name} changed while it was read; try again")
    delivery.counted = counted


@contextmanager
def _enough_room(name: str, room: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise LoadError(
            f"{name}: disk full while it was fetched or unpacked; make room below {room.parent}, or let TMPDIR name another disk"
        ) from error


def _rows(path: Path, table: Table, form: FileFormat, origin: str, delivery: Delivery) -> Iterator[pa.RecordBatch]:
    if form.kind == "xlsx":
        from khochung.extract import workbook  # here, since its two readers are slow to import

        return workbook.batches(path, table, form, origin, delivery)
    encoding = encodings.of(path, form.encoding, origin)
    if form.encoding == "auto":
        _log.info("%s: read as %s, told from its bytes", origin, encoding)
    told = [] if delivery.encoding is None else delivery.encoding.split(", ")
    delivery.encoding = ", ".join(dict.fromkeys([*told, encoding]))  # the members of a zip may differ
    if form.kind == "jsonl":
        return jsonlines.batches(path, table, encoding, origin, delivery)
    return Csv(path, table, form, encoding, origin).batches(delivery)
