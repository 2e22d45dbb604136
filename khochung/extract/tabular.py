"""What CSV and workbooks share: a header above, rows below it, a total and notes at the end.

Rows are lists of texts with None for an empty cell; each comes with the number of the line or row where it starts.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
import pyarrow as pa

from khochung.contract import FileFormat, Table
from khochung.errors import ContractError
from khochung.extract import EXTRA, Delivery, missing_columns

BATCH_ROWS = 20_000
LONGEST_CELL = 1_000_000  # characters: beyond it a quote was left open, or somebody means harm
Row = list[str | None]
_NUMBER = re.compile(r"\d{1,3}(?:[., \u00a0]\d{3})+(?!\d)|\d+")


def header_names(rows: list[Row]) -> list[str]:
    """The name of each column: the texts above it from top to bottom, joined by “ / ”, equal neighbours once."""
    width = max((len(row) for row in rows), default=0)
    names = []
    for place in range(width):
        parts = [clean_name(row[place]) for row in rows if place < len(row)]
        kept = [part for number, part in enumerate(parts) if part and part not in parts[:number][-1:]]
        names.append(" / ".join(kept))
    return names


def clean_name(text: str | None) -> str:
    """A header as it is compared: NFC, no line breaks, no byte order mark that some programs write unasked."""
    return " ".join(unicodedata.normalize("NFC", text or "").removeprefix("\ufeff").split())


def places(table: Table, names: list[str], delivery: Delivery, origin: str) -> list[int]:
    """Where each declared column stands; notes the columns that the contract does not know.

    Raises ContractError when a declared column is missing or stands there twice.
    """
    wanted = [clean_name(column.path) for column in table.columns]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise missing_columns(table, missing, origin)
    twice = [name for name in wanted if names.count(name) > 1]
    if twice:
        raise ContractError(
            f"{table.source}.{table.name}: {origin} has more than one column {', '.join(twice)}; ask the owner which one counts"
        )
    delivery.unknown_fields |= {name for name in names if name} - set(wanted)
    return [names.index(name) for name in wanted]


def unknown_places(table: Table, names: list[str]) -> dict[str, int]:
    """Where each column stands that the contract does not know and that has a name; of two with one name the first."""
    wanted = {clean_name(column.path) for column in table.columns}
    return {name: names.index(name) for name in sorted(set(names) - wanted) if name}


def with_extra(batch: pa.RecordBatch, cells: dict[str, pa.Array]) -> pa.RecordBatch:
    """`batch` and, in `_extra`, what stands in the columns that the contract does not know."""
    if not cells:
        return batch
    rows = zip(*(array.to_pylist() for array in cells.values()), strict=True)
    kept = ({name: cell for name, cell in zip(cells, row, strict=True) if cell is not None} for row in rows)
    texts = [msgspec.json.encode(fields).decode() if fields else None for fields in kept]
    return batch.append_column(EXTRA, pa.array(texts, pa.string()))


class Body:
    """The data rows below a header, up to the total row; `counted` is what the total row says, once it is read."""

    def __init__(self, table: Table, form: FileFormat, places: list[int], width: int, origin: str, unit: str) -> None:
        self.table, self.form, self.places, self.width = table, form, places, width
        self.origin, self.unit = origin, unit
        self.rows = 0

    def data(self, numbered: Iterator[tuple[int, Row]]) -> Iterator[Row]:
        """Rows of the header's width. Raises ContractError that names the row which does not fit."""
        for number, row in numbered:
            if not any(row) or (len(row) == 1 < self.width and not (row[0] or "").strip()):
                continue
            if self._is_total(row):
                self._check_total(row)
                self._check_notes(numbered)
                return
            self.rows += 1
            yield self._fitted(number, row)
        if self.form.counted_by_total:
            raise ContractError(
                f"{self.origin}: no row starts with “{self.form.total_row}” after {self.rows} rows, so it was cut short or "
                f"its total was renamed; ask the owner, or correct total_row in {self.table.declared_in}"
            )

    def _fitted(self, number: int, row: Row) -> Row:
        if len(row) == self.width:
            return row
        if len(row) > self.width and not any(row[self.width :]):
            return row[: self.width]
        if len(row) < self.width and self.unit == "row":  # a workbook does not keep empty cells at the end
            return row + [None] * (self.width - len(row))
        raise ContractError(
            f"{self.origin}, {self.unit} {number}: {len(row)} cells under {self.width} headers; "
            "a separator inside a cell, or a line cut short? ask the owner for the file again"
        )

    def _is_total(self, row: Row) -> bool:
        label = self.form.total_row
        return label is not None and any(cell and cell.strip().startswith(label) for cell in row[:3])

    def _check_total(self, row: Row) -> None:
        if not self.form.counted_by_total:
            return
        found = _NUMBER.search(" | ".join(cell for cell in row if cell))
        said = int(re.sub(r"\D", "", found.group())) if found else None
        if said != self.rows:
            raise ContractError(
                f"{self.origin}: its total row says {said} rows, {self.rows} stand above it; nothing is taken; ask the owner for it again"
            )

    def _check_notes(self, numbered: Iterator[tuple[int, Row]]) -> None:
        """Below the total stand notes and signatures; a full row there means that the total was none."""
        keys = [
            place
            for place, column in zip(self.places, self.table.columns, strict=True)
            if column.name in self.table.key
        ]
        for number, row in numbered:
            filled = [place for place in self.places if place < len(row) and row[place]]
            if len(filled) > max(2, len(self.places) / 2) and set(keys) <= set(filled):
                raise ContractError(
                    f"{self.origin}, {self.unit} {number}: a row of data below the row “{self.form.total_row}”; "
                    f"correct total_row in {self.table.declared_in}, or ask the owner"
                )


def batches(
    rows: Iterable[Row], places: list[int], unknown: dict[str, int], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Rows as record batches: the columns at `places`, and in `_extra` those at the places in `unknown`."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, BATCH_ROWS)):
        made = pa.RecordBatch.from_arrays([_texts(chunk, place) for place in places], schema=schema)
        yield with_extra(made, {name: _texts(chunk, place) for name, place in unknown.items()})


def _texts(rows: list[Row], place: int) -> pa.Array:
    return pa.array([row[place] for row in rows], pa.string())
