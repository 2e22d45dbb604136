"""Dated file drops: CSV and XLSX in a folder that the owner writes to and we only read.

A file's date is in its name (`_YYYYMMDD`, or `_YYYYMM` for a whole month). A snapshot table takes the newest file up
to the day read; an append table takes each file once, known again by its SHA-256. Everything stays text.
"""

import calendar
import csv
import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import pyarrow as pa

from khochung.contract import FileFormat, Source, Table
from khochung.errors import ContractError, SourceUnavailableError
from khochung.extract import Delivery, Window, missing_columns, text_schema
from khochung.settings import required

BATCH_ROWS = 20_000
SETTLED_S = 2.0  # a file whose size still moves, or that was touched a moment ago, is left for the next run
_DATED = re.compile(r"(\d{8}|\d{6})(?=\.[a-z]+$)")


@contextmanager
def read(source: Source, table: Table, window: Window, known: frozenset[str]) -> Iterator[list[Delivery]]:
    """One delivery per waiting file, oldest first. Empty when nothing new waits."""
    variable = f"KHOCHUNG_SOURCE_{source.name.upper()}_FOLDER"
    folder = Path(required(variable, f"the folder in which source {source.name} drops its files"))
    if not folder.is_dir():
        raise SourceUnavailableError(f"source {source.name}: its folder is not there; mount it, or correct {variable}")
    dated = sorted((day, path) for path in folder.glob(table.path) if (day := file_date(path)) <= window.as_of)
    if not dated:
        raise SourceUnavailableError(
            f"source {source.name}: no file {table.path} dated up to {window.as_of} in its folder; ask the owner for it"
        )
    chosen = dated[-1:] if table.load == "snapshot" else dated
    waiting = [(path, _sha256(path)) for _, path in chosen if _settled(path)]
    yield [_delivery(table, path, digest) for path, digest in waiting if digest not in known]


def file_date(path: Path) -> date:
    """The day that a dropped file describes; a month's file describes its last day.

    Raises ContractError when the name carries no date.
    """
    found = _DATED.search(path.name)
    if not found:
        raise ContractError(f"{path.name} carries no date: expected …_YYYYMMDD or …_YYYYMM before the extension")
    digits = found.group(1)
    year, month = int(digits[:4]), int(digits[4:6])
    try:
        return date(year, month, int(digits[6:]) if len(digits) == 8 else calendar.monthrange(year, month)[1])
    except (ValueError, calendar.IllegalMonthError) as error:
        raise ContractError(f"{path.name}: {digits} is no date; the owner must name it …_YYYYMMDD") from error


def _settled(path: Path) -> bool:
    state = path.stat()
    if time.time() - state.st_mtime >= SETTLED_S:
        return True
    time.sleep(SETTLED_S)
    return path.stat().st_size == state.st_size


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _delivery(table: Table, path: Path, digest: str) -> Delivery:
    form = table.format
    if form is None:
        raise ContractError(f"{table.source}.{table.name}: a file table needs `format:` in {table.declared_in}")
    delivery = Delivery(text_schema(table), iter(()), path.name, digest)
    delivery.batches = _batches(table, form, path, delivery)
    return delivery


def _batches(table: Table, form: FileFormat, path: Path, delivery: Delivery) -> Iterator[pa.RecordBatch]:
    rows = _csv_rows(path, form) if form.kind == "csv" else _xlsx_rows(path, form, table)
    header = next(islice(rows, form.header_row - 1, None), None)
    if header is None:
        raise ContractError(f"{table.source}.{table.name}: {path.name} has no header in row {form.header_row}")
    names = [str(cell or "").removeprefix("\ufeff").strip() for cell in header]  # some programs write a BOM unasked
    missing = [column.path for column in table.columns if column.path not in names]
    if missing:
        raise missing_columns(table, missing, path.name)
    delivery.unknown_fields = {name for name in names if name} - {column.path for column in table.columns}
    places = [names.index(column.path) for column in table.columns]
    counted = 0
    data = _data_rows(rows, form, len(names), path.name)
    while batch := list(islice(data, BATCH_ROWS)):
        counted += len(batch)
        yield pa.RecordBatch.from_arrays(
            [pa.array([row[place] for row in batch], pa.string()) for place in places], schema=delivery.schema
        )
    delivery.counted = counted


def _csv_rows(path: Path, form: FileFormat) -> Iterator[list[str | None]]:
    try:
        with path.open(encoding=form.encoding, newline="") as stream:
            for row in csv.reader(stream, delimiter=form.delimiter, strict=True):
                yield [cell if cell else None for cell in row]
    except UnicodeDecodeError as error:
        raise ContractError(
            f"{path.name} is not {form.encoding} (byte {error.start}); correct `encoding` or ask for the file again"
        ) from error
    except csv.Error as error:
        raise ContractError(f"{path.name} cannot be read as CSV: {error}; ask the owner for the file again") from error


def _xlsx_rows(path: Path, form: FileFormat, table: Table) -> Iterator[list[str | None]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError) as error:
        raise ContractError(f"{path.name} cannot be read as XLSX; ask the owner for the file again") from error
    try:
        if form.sheet not in book.sheetnames:
            raise ContractError(
                f"{table.source}.{table.name}: {path.name} has no sheet “{form.sheet}”, only {', '.join(book.sheetnames)}"
            )
        for row in book[form.sheet].iter_rows(values_only=True):
            yield [_text(cell) for cell in row]
    finally:
        book.close()


def _text(cell: Any) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, datetime):
        return cell.strftime("%d/%m/%Y")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # Excel keeps every number as a float
    return str(cell)


def _data_rows(rows: Iterator[list[str | None]], form: FileFormat, width: int, name: str) -> Iterator[list[str | None]]:
    for number, row in enumerate(rows, start=form.header_row + 1):
        if not any(row):
            continue
        if form.total_row and any(cell and cell.startswith(form.total_row) for cell in row[:3]):
            return  # the total, and the notes below it
        if len(row) > width and any(row[width:]):
            raise ContractError(
                f"{name}, row {number}: {len(row)} cells under {width} headers; a separator inside a cell?"
            )
        yield row + [None] * (width - len(row))
