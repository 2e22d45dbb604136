"""CSV to record batches: Arrow's parser for files that are regular, Python's for what is not, with the same result.

Arrow takes whatever looks like a row. So each chunk is checked first: quotes stand where RFC 4180 has them, and no NUL.
At the first doubt the exact parser goes on where Arrow stopped; it knows the line of what it refuses. Cells are kept
letter by letter; an empty cell is none, quoted or not.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice, pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from khochung.contract import FileFormat, Table
from khochung.errors import ContractError
from khochung.extract import Delivery, encodings, tabular
from khochung.extract.tabular import LONGEST_CELL, Row

QUOTE = ord('"')


class _IrregularError(Exception):
    """This file is for the exact parser."""


class Csv:
    """One CSV file under its contract, read in `encoding`."""

    def __init__(self, path: Path, table: Table, form: FileFormat, encoding: str, origin: str) -> None:
        self.path, self.table, self.form, self.encoding, self.origin = path, table, form, encoding, origin

    def batches(self, delivery: Delivery) -> Iterator[pa.RecordBatch]:
        """Every data row. Raises ContractError that names the line, never the value."""
        names, start = self._header()
        places = tabular.places(self.table, names, delivery, self.origin)
        unknown = tabular.unknown_places(self.table, names)
        body = tabular.Body(self.table, self.form, places, len(names), self.origin, "line")
        done = 0
        if self.form.total_row is None:
            try:
                for batch in self._regular(len(names), start):
                    done += batch.num_rows
                    wanted = [batch.column(place) for place in places]
                    made = pa.RecordBatch.from_arrays(wanted, schema=delivery.schema)
                    yield tabular.with_extra(made, {name: batch.column(place) for name, place in unknown.items()})
                return
            except (_IrregularError, pa.ArrowInvalid):
                pass  # the exact parser takes over behind the rows that are out, and names what is wrong
        with self.path.open("rb") as stream:
            rows = self._parsed(self._lines(stream))
            data = body.data(islice(rows, self.form.header_row - 1 + self.form.header_rows, None))
            yield from tabular.batches(islice(data, done, None), places, unknown, delivery.schema)

    def _header(self) -> tuple[list[str], int]:
        """The columns' names, and the byte of the UTF-8 text where the data starts."""
        size = 0

        def measured(lines: Iterable[str]) -> Iterator[str]:
            nonlocal size
            for line in lines:
                size += len(line.encode())
                yield line

        with self.path.open("rb") as stream:
            rows = self._parsed(measured(self._lines(stream)))
            head = [
                row
                for _, row in islice(rows, self.form.header_row - 1, self.form.header_row - 1 + self.form.header_rows)
            ]
        if len(head) < self.form.header_rows or not any(any(row) for row in head):
            raise ContractError(
                f"{self.table.source}.{self.table.name}: {self.origin} has no header in row {self.form.header_row}"
            )
        return tabular.header_names(_spread(head)), size

    def _lines(self, stream: BinaryIO) -> Iterable[str]:
        return encodings.lines(stream, self.encoding, self.origin)

    def _parsed(self, lines: Iterable[str]) -> Iterator[tuple[int, Row]]:
        csv.field_size_limit(LONGEST_CELL)
        reader = csv.reader(lines, delimiter=self.form.delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise ContractError(
                    f"{self.origin} cannot be read as CSV from line {line} on: {error}; ask the owner for the file again"
                ) from None
            if row is None:
                return
            yield line, [cell or None for cell in row]

    def _regular(self, width: int, start: int) -> Iterator[pa.RecordBatch]:
        """The rows behind byte `start` through Arrow, every cell a text.

        Chunk by chunk, one ahead: Arrow's own streaming reader (26.0) hangs at exit after a row that it refused.
        """
        names = [str(place) for place in range(width)]
        convert = pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
        )
        options = pacsv.ParseOptions(delimiter=self.form.delimiter, newlines_in_values=True)

        def parsed(chunk: bytes) -> list[pa.RecordBatch]:
            read = pacsv.ReadOptions(column_names=names, use_threads=False, block_size=len(chunk))
            table = pacsv.read_csv(pa.BufferReader(chunk), read, options, convert)
            return [_filled(batch) for batch in table.to_batches()]

        with self.path.open("rb") as stream, ThreadPoolExecutor(1) as ahead:
            blocks = _behind(start, encodings.utf8_blocks(stream, self.encoding, self.origin))
            waiting: deque[Future[list[pa.RecordBatch]]] = deque()
            for chunk in _whole_rows(blocks, ord(self.form.delimiter)):
                waiting.append(ahead.submit(parsed, chunk))
                if len(waiting) > 1:
                    yield from waiting.popleft().result()
            for rest in waiting:
                yield from rest.result()


def _spread(head: list[Row]) -> list[Row]:
    """Of several header rows an upper one holds a group's name above its first column only: give it to the others."""
    spread = []
    for row, below in pairwise(head):
        filled: Row = []
        for place in range(max(len(row), len(below))):
            cell = row[place] if place < len(row) else None
            belongs = 0 < place < len(below) and below[place] and below[place - 1]
            filled.append(cell or (filled[-1] if belongs else None))
        spread.append(filled)
    return [*spread, head[-1]]


def _behind(start: int, blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        if start < len(block):
            yield block[start:]
        start = max(0, start - len(block))


def _whole_rows(blocks: Iterator[bytes], delimiter: int) -> Iterator[bytes]:
    """Chunks that end where a row does. Raises _IrregularError when a quote stands where RFC 4180 has none, or for NUL."""
    legal = np.zeros(256, bool)
    legal[[delimiter, ord("\n"), ord("\r"), QUOTE]] = True
    rest = b""
    for block in blocks:
        chunk = rest + block
        cut = _last_row_end(chunk)
        _check(chunk[:cut], legal)
        rest = chunk[cut:]
        if len(rest) > encodings.LONGEST_LINE:
            raise _IrregularError
        if chunk[:cut].strip(b"\r\n"):
            yield chunk[:cut]
    if rest.strip(b"\r\n"):
        _check(rest + b"\n", legal)
        yield rest


def _last_row_end(chunk: bytes) -> int:
    """Behind the last line feed that stands outside quotes: an even number of them precedes it."""
    end = len(chunk)
    quotes = chunk.count(b'"')
    while (found := chunk.rfind(b"\n", 0, end)) >= 0:
        quotes -= chunk.count(b'"', found, end)
        if quotes % 2 == 0:
            return found + 1
        end = found
    return 0


def _check(rows: bytes, legal: np.ndarray) -> None:
    """Of the quotes in whole rows every first one opens a cell or doubles a quote, every second one closes a cell."""
    if b"\0" in rows:
        raise _IrregularError
    if b'"' not in rows:
        return
    codes = np.frombuffer(b"\n" + rows + b"\n", np.uint8)
    at = np.flatnonzero(codes == QUOTE)
    if len(at) % 2 or not legal[codes[at[::2] - 1]].all() or not legal[codes[at[1::2] + 1]].all():
        raise _IrregularError


def _filled(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Without the rows that are empty in every column. Raises _IrregularError for a cell that is too long."""
    if any((pc.max(pc.binary_length(cells)).as_py() or 0) > LONGEST_CELL for cells in batch.columns):
        raise _IrregularError
    if not batch.num_rows or not batch.column(0).null_count:
        return batch
    empty = pc.is_null(batch.column(0))
    for column in batch.columns[1:]:
        empty = pc.and_(empty, pc.is_null(column))
    return batch.filter(pc.invert(empty)) if pc.any(empty).as_py() else batch
