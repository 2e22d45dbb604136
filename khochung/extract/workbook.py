"""XLSX and XLS to rows of text, as a person sees the sheet: merged cells, dates, identifiers that became numbers.

Which of the two a file is, its first bytes say: offices rename them. A formula is refused where the contract reads, since
its value is whatever was last calculated, on a machine that we do not know. Nothing is guessed: a lost leading zero stays
lost, and a whole number that Excel shows or rounds in scientific notation comes as such, for staging to flag.
"""

import io
import re
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

import pyarrow as pa
import xlrd
from openpyxl.utils.exceptions import InvalidFileException
from xlrd.compdoc import CompDocError

from khochung.contract import Column, FileFormat, Table
from khochung.errors import ContractError
from khochung.extract import Delivery, archive, tabular
from khochung.extract.tabular import Row

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LARGEST_HELD = 128 << 20  # bytes: sheets of XLSX are streamed; their shared texts, and all of an XLS, are not
LAST_EXACT = 10**15  # Excel keeps 15 digits and makes the others zero
LOST_DIGITS = 3  # zeros at the end of a number that Excel shows in scientific notation: it was read from such a text
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})\"")
# What the two readers raise for a damaged file; consumers of their rows are not under this net.
_BROKEN = (
    BadZipFile, ParseError, ZlibError, LookupError, ValueError, TypeError, EOFError, AttributeError, AssertionError,
    OverflowError, NotImplementedError, struct.error, InvalidFileException, xlrd.XLRDError, CompDocError,
)  # fmt: skip


class Formula(str):
    """A cell whose value is calculated; `where` is its address."""

    where: str


class Moment(str):
    """A cell that holds a date or a time, written dd/MM/yyyy unless the column declares another form."""

    at: datetime


@dataclass
class Sheet:
    """Rows with their numbers, gaps left out, and the merged ranges (first row, first column, last row, last column)."""

    rows: Iterator[tuple[int, Row]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def batches(path: Path, table: Table, form: FileFormat, origin: str, delivery: Delivery) -> Iterator[pa.RecordBatch]:
    """Every data row of the declared sheet. Raises ContractError that names sheet and row or cell, never a value."""
    with _opened(path, table, form, origin) as sheet:
        rows = _numbered(_unmerged(sheet, form.header_row + form.header_rows))
        head = [row for _, row in islice(rows, form.header_row - 1, form.header_row - 1 + form.header_rows)]
        if len(head) < form.header_rows or not any(any(row) for row in head):
            raise ContractError(f"{table.source}.{table.name}: {origin} has no header in row {form.header_row}")
        for row in head:
            _refuse_formulas(row, origin, form)
        names = tabular.header_names(head)
        while not names[-1]:  # what stands right of the last header is nobody's
            names.pop()
        places = tabular.places(table, names, delivery, origin)
        body = tabular.Body(table, form, places, len(names), origin, "row")
        unknown = tabular.unknown_places(table, names)
        read = (
            _read(row, places, table.columns, origin, form)
            + [None if isinstance(row[place], Formula) else row[place] for place in unknown.values()]
            for row in body.data(rows)
        )
        behind = {name: len(places) + number for number, name in enumerate(unknown)}
        yield from tabular.batches(read, list(range(len(places))), behind, delivery.schema)


def _read(row: Row, places: list[int], columns: tuple[Column, ...], origin: str, form: FileFormat) -> Row:
    cells = [row[place] for place in places]
    _refuse_formulas(cells, origin, form)
    return [
        _written(cell, column.date_format) if isinstance(cell, Moment) and column.date_format else cell
        for cell, column in zip(cells, columns, strict=True)
    ]


def _refuse_formulas(cells: Row, origin: str, form: FileFormat) -> None:
    for cell in cells:
        if isinstance(cell, Formula):
            raise ContractError(
                f"{origin}, sheet “{form.sheet or 'the only one'}”, cell {cell.where}: a formula; ask the owner to send values (paste special, values)"
            )
        if cell and len(cell) > tabular.LONGEST_CELL:
            raise ContractError(f"{origin}: a cell of {len(cell):,} letters; ask the owner for the file again")


@contextmanager
def _opened(path: Path, table: Table, form: FileFormat, origin: str) -> Iterator[Sheet]:
    with path.open("rb") as stream:
        first = stream.read(8)
    openers: dict[bytes, Callable[..., Any]] = {ZIP: _xlsx, OLE: _xls}
    opener = next((opener for magic, opener in openers.items() if first.startswith(magic)), None)
    if opener is None:
        raise ContractError(
            f"{origin} cannot be read as XLSX or XLS: it is neither (a web page or text under that name?); ask the owner for the file again"
        )
    with ExitStack() as stack:
        with _reported(origin):
            sheet = stack.enter_context(opener(path, table, form, origin))
        yield Sheet(_guarded(sheet.rows, origin), sheet.merged)


@contextmanager
def _reported(origin: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise ContractError(
            f"{origin} cannot be read as XLSX or XLS ({type(error).__name__}); damaged or locked? ask the owner for the file again"
        ) from None


def _guarded(rows: Iterator[tuple[int, Row]], origin: str) -> Iterator[tuple[int, Row]]:
    while True:
        with _reported(origin):
            row = next(rows, None)
        if row is None:
            return
        yield row


def _chosen(names: list[str], table: Table, form: FileFormat, origin: str) -> int:
    wanted = form.sheet
    if wanted is None and len(names) == 1:
        return 0
    plain = [tabular.clean_name(name) for name in names]
    if wanted is None or tabular.clean_name(wanted) not in plain:
        asked = f"no sheet “{wanted}”, only" if wanted else "several sheets, and `sheet` does not say which:"
        raise ContractError(f"{table.source}.{table.name}: {origin} has {asked} {', '.join(names)}")
    return plain.index(tabular.clean_name(wanted))


@contextmanager
def _xlsx(path: Path, table: Table, form: FileFormat, origin: str) -> Iterator[Sheet]:
    from openpyxl import load_workbook
    from openpyxl.worksheet._reader import WorkSheetParser

    with ZipFile(path) as packed:
        for part in archive.check(packed, origin):
            if not part.filename.startswith("xl/worksheets/"):
                _bounded(part.file_size, origin)
    with path.open("rb") as stream:  # by its path it would be judged by its name
        book = load_workbook(stream, read_only=True, keep_links=False)
        sheet = book.worksheets[_chosen([sheet.title for sheet in book.worksheets], table, form, origin)]
        with sheet._get_source() as source:
            merged = _merged_ranges(source)
        # Not the worksheet's own rows: they drop, without a word, a row that stands twice or out of order.
        with sheet._get_source() as source:
            parser = WorkSheetParser(
                source, sheet._shared_strings, epoch=book.epoch,
                date_formats=book._date_formats, timedelta_formats=book._timedelta_formats,
            )  # fmt: skip
            yield Sheet(_xlsx_rows(parser.parse(), _scientific_styles(book), origin), merged)


def _bounded(size: int, origin: str) -> None:
    if size > LARGEST_HELD:
        raise ContractError(
            f"{origin}: {size:,} bytes would have to be held at once; ask the owner for CSV, or to split it"
        )


def _scientific_styles(book: Any) -> set[int]:
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

    def form(number: int) -> str:
        builtin = number < BUILTIN_FORMATS_MAX_SIZE
        return str(
            BUILTIN_FORMATS.get(number, "") if builtin else book._number_formats[number - BUILTIN_FORMATS_MAX_SIZE]
        )

    return {place for place, style in enumerate(book._cell_styles) if _is_scientific(form(style.numFmtId))}


def _is_scientific(form: str | None) -> bool:
    return "E+" in (form or "").upper() or "E-" in (form or "").upper()


def _xlsx_rows(
    parsed: Iterator[tuple[int, list[dict[str, Any]]]], scientific: set[int], origin: str
) -> Iterator[tuple[int, Row]]:
    last = 0
    for number, cells in parsed:
        if number <= last:
            raise ContractError(
                f"{origin}: row {number} stands behind row {last}; the file is damaged: ask the owner for it again"
            )
        last = number
        row: Row = [None] * max((cell["column"] for cell in cells), default=0)
        for cell in cells:
            where = cell["column"] - 1
            if cell["data_type"] == "f":
                row[where] = _formula(number, where)
            elif cell["value"] is not None:
                row[where] = as_text(cell["value"], cell["style_id"] in scientific)
        yield number, row


def _merged_ranges(source: Any) -> list[tuple[int, int, int, int]]:
    """They stand behind the rows, and are wanted before them."""
    from openpyxl.utils import column_index_from_string as index

    found, held = [], b""
    while block := source.read(1 << 20):
        window = held + block
        end = 0
        for match in _MERGED.finditer(window):
            left, top, right, bottom = match.groups()
            found.append((int(top), index(left.decode()), int(bottom), index(right.decode())))
            end = match.end()
        held = window[max(end, len(window) - 200) :]
    return found


@contextmanager
def _xls(path: Path, table: Table, form: FileFormat, origin: str) -> Iterator[Sheet]:
    _bounded(path.stat().st_size, origin)
    book = xlrd.open_workbook(str(path), formatting_info=True, on_demand=True, logfile=io.StringIO())
    with book:
        place = _chosen(book.sheet_names(), table, form, origin)
        sheet = book.sheet_by_index(place)
        merged = [(top + 1, left + 1, bottom, right) for top, bottom, left, right in sheet.merged_cells]
        formulas = _xls_formulas(book.mem, book._sh_abs_posn[place])
        yield Sheet(_xls_rows(book, sheet, formulas), merged)


def _xls_rows(book: Any, sheet: Any, formulas: set[tuple[int, int]]) -> Iterator[tuple[int, Row]]:
    scientific = {key for key, form in book.format_map.items() if _is_scientific(form.format_str)}
    for number in range(sheet.nrows):
        row: Row = []
        for place, cell in enumerate(sheet.row(number)):
            if (number, place) in formulas:
                row.append(_formula(number + 1, place))
            else:
                row.append(_xls_text(book, cell, book.xf_list[cell.xf_index].format_key in scientific))
        yield number + 1, row


def _xls_text(book: Any, cell: Any, scientific: bool) -> str | None:
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            at = xlrd.xldate_as_datetime(cell.value, book.datemode)
        except OverflowError:
            return "#VALUE!"
        return as_text(at.time() if cell.value < 1 else at, False)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return as_text(bool(cell.value), False)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    return as_text(cell.value, scientific)


def _xls_formulas(content: Any, start: int) -> set[tuple[int, int]]:
    """Row and column of the FORMULA records of one sheet ([MS-XLS] 2.4.127): the reader keeps their results only."""
    found: set[tuple[int, int]] = set()
    depth = 0
    while start + 4 <= len(content):
        kind, size = struct.unpack_from("<HH", content, start)
        depth += (kind & 0xFF == 0x09) - (kind == 0x0A)  # BOF and EOF; charts are nested
        if kind in (0x0006, 0x0206, 0x0406) and depth == 1:
            row, column = struct.unpack_from("<HH", content, start + 4)
            found.add((row, column))
        if depth == 0:
            break
        start += 4 + size
    return found


def _formula(row: int, place: int) -> Formula:
    from openpyxl.utils import get_column_letter

    cell = Formula("=")
    cell.where = f"{get_column_letter(place + 1)}{row}"
    return cell


def _numbered(rows: Iterator[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    """With the empty rows that a workbook leaves out, up to the next one that holds something."""
    expected = 1
    for number, row in rows:
        while expected < number:
            yield expected, []
            expected += 1
        yield number, row
        expected = number + 1


def _unmerged(sheet: Sheet, first_data: int) -> Iterator[tuple[int, Row]]:
    """A header's merged cell gives its text to the whole range, a record's to the rows below it in its column."""
    starting: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
    for merged in sheet.merged:
        starting[merged[0]].append(merged)
    active: list[tuple[tuple[int, int, int, int], str | None]] = []
    for number, row in sheet.rows:
        active = [entry for entry in active if entry[0][2] >= number]
        for merged in starting.pop(number, ()):
            active.append((merged, row[merged[1] - 1] if merged[1] <= len(row) else None))
        for (top, left, _, right), text in active:
            if text is None or (number == top and number >= first_data):
                continue
            last = right if number < first_data else left
            row += [None] * (last - len(row))
            row[left - 1 : last] = [text] * (last - left + 1)
        yield number, row


def as_text(value: Any, scientific: bool) -> str | None:
    """A cell's value as text. Numbers in full, without a decimal point that only the program added."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _number(value, scientific)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return _moment(datetime.combine(value, time.min))
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)


def _number(value: int | float, scientific: bool) -> str:
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    whole = exact == exact.to_integral_value()
    shortest = exact.normalize()
    rounded = scientific and int(shortest.as_tuple().exponent) >= LOST_DIGITS
    if whole and (abs(exact) >= LAST_EXACT or rounded):
        return f"{shortest:E}"
    return f"{exact.to_integral_value() if whole else exact:f}"


def _moment(value: datetime) -> Moment:
    cell = Moment(_spelled(value, "dd/MM/yyyy"))
    cell.at = value
    return cell


def _written(cell: Moment, form: str) -> str:
    return _spelled(cell.at, form)


def _spelled(value: datetime, form: str) -> str:
    """In the contract's form; a time of day is added when the form has none."""
    pattern = form
    for letters, code in (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S")):
        pattern = pattern.replace(letters, code)
    if value.time() != time.min and "%H" not in pattern:
        pattern += " %H:%M:%S"
    return value.strftime(pattern)
