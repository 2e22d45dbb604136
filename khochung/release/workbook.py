"""A version as a workbook for people: data, dictionary, notes and licence, in both languages.

Codes stay text, so no leading zero is lost; no cell is a formula; nothing is hidden. A number that a spreadsheet would
round is text, and so is a date before 1900-03-01, which its calendar does not have. The same content gives the same bytes.
"""

import io
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any

import openpyxl
import xlsxwriter

from khochung.contract import Dataset, DatasetColumn
from khochung.errors import GateError
from khochung.release.content import Content, Kind, Row, expect_names, kind, number_text
from khochung.release.describe import OPEN, disclosure_note
from khochung.strict import Text

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS, CELLS, LETTERS = 1_048_576, 5_000_000, 32_767
SHEETS = ("Dữ liệu - Data", "Từ điển - Dictionary", "Ghi chú - Notes", "Giấy phép - Licence")
_FIRST_DAY = date(1900, 3, 1)
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "default_date_format": "yyyy-mm-dd",
}
_MADE = datetime(2000, 1, 1)


def holds(content: Content) -> bool:
    """False where a sheet has too few rows or a cell too few letters, or opening it would take a person's patience."""
    rows = content.table.num_rows
    if rows >= ROWS or rows * len(content.names) > CELLS:
        return False
    return all(len(cell) <= LETTERS for row in content.rows for cell in row if cell is not None)


def write(content: Content) -> bytes:
    """The bytes of the workbook."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, _OPTIONS)
    book.set_properties({"title": content.dataset.title.vi, "company": content.dataset.publisher.vi, "created": _MADE})
    heading = book.add_format({"bold": True, "bottom": 1})
    _data_sheet(book, heading, content)
    for name, table in zip(SHEETS[1:], (_dictionary(content.dataset), _notes(content), _licence(content)), strict=True):
        _text_sheet(book, heading, name, table)
    book.close()
    return stream.getvalue()


def _data_sheet(book: Any, heading: Any, content: Content) -> None:
    sheet = book.add_worksheet(SHEETS[0])
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(content.names):
        sheet.write_string(0, place, name, heading)
        sheet.set_column(place, place, min(40, max(10, len(name) + 2)))
    writers = [_writer(sheet, kind_) for kind_ in content.kinds]
    for number, row in enumerate(content.rows, start=1):
        for place, (put, cell) in enumerate(zip(writers, row, strict=True)):
            if cell is not None:
                put(number, place, cell)


def _writer(sheet: Any, kind_: Kind) -> Callable[[int, int, str], Any]:
    def number(row: int, place: int, cell: str) -> None:
        # A workbook keeps sixteen digits of a number.
        kept = float(f"{float(cell):.16G}")
        exact = math.isfinite(kept) and number_text(kept) == cell
        sheet.write_number(row, place, float(cell)) if exact else sheet.write_string(row, place, cell)

    def day(row: int, place: int, cell: str) -> None:
        value = date.fromisoformat(cell)
        if value >= _FIRST_DAY:
            sheet.write_datetime(row, place, value)
        else:
            sheet.write_string(row, place, cell)

    if kind_.is_number:
        return number
    if kind_.table_schema == "boolean":
        return lambda row, place, cell: sheet.write_boolean(row, place, cell == "true")
    return day if kind_.table_schema == "date" else sheet.write_string


def _text_sheet(book: Any, heading: Any, name: str, table: Iterable[tuple[str, ...]]) -> None:
    sheet = book.add_worksheet(name)
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for number, row in enumerate(table):
        for place, cell in enumerate(row):
            sheet.write_string(number, place, cell, heading if number == 0 else wrapped)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 8, 44)


def _dictionary(dataset: Dataset) -> Iterator[tuple[str, ...]]:
    yield ("Cột / Column", "Tên", "Label", "Kiểu / Type", "Đơn vị / Unit", "Ý nghĩa", "Meaning", "Mã", "Codes")
    for column in dataset.columns:
        yield (
            column.name, column.label.vi, column.label.en, kind(column).table_schema, column.unit or "",
            column.description_vi, column.description, _codes(column, "vi"), _codes(column, "en"),
        )  # fmt: skip


def _codes(column: DatasetColumn, language: str) -> str:
    return "; ".join(f"{code} = {getattr(text, language)}" for code, text in (column.codes or {}).items())


def _notes(content: Content) -> Iterator[tuple[str, str, str]]:
    dataset = content.dataset
    yield ("", "Tiếng Việt", "English")
    yield ("Bộ dữ liệu / Dataset", dataset.title.vi, dataset.title.en)
    yield ("Phiên bản / Version", content.version, content.version)
    yield ("Nội dung / Contents", dataset.summary.vi, dataset.summary.en)
    yield ("Cơ quan / Publisher", dataset.publisher.vi, dataset.publisher.en)
    yield ("Liên hệ / Contact", dataset.contact, dataset.contact)
    yield ("Căn cứ / Legal basis", dataset.legal_basis, dataset.legal_basis)
    protection = disclosure_note(dataset)
    yield ("Bảo vệ / Protection", protection.vi, protection.en)
    empty = Text(vi="Ô trống: không có giá trị hoặc không công bố.", en="An empty cell: no value, or withheld.")
    yield ("Ô trống / Empty cells", empty.vi, empty.en)


def _licence(content: Content) -> Iterator[tuple[str, str, str]]:
    yield ("", "Tiếng Việt", "English")
    yield (OPEN.name, OPEN.statement.vi, OPEN.statement.en)
    yield ("URI", OPEN.uri, OPEN.uri)
    dataset = content.dataset
    cited = "{publisher}: {title}, {version}."
    texts = [
        cited.format(publisher=publisher, title=title, version=content.version)
        for publisher, title in (
            (dataset.publisher.vi, dataset.title.vi),
            (dataset.publisher.en, dataset.title.en),
        )
    ]
    yield ("Ghi nguồn / Cite as", texts[0], texts[1])


def read(data: bytes, dataset: Dataset) -> tuple[Row, ...]:
    """The cells of the data sheet as canonical texts."""
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    if tuple(book.sheetnames) != SHEETS:
        raise GateError(f"{dataset.slug}: the workbook has other sheets than {', '.join(SHEETS)}")
    rows = book[SHEETS[0]].iter_rows(values_only=True)
    expect_names([str(name) for name in next(rows, ())], dataset, "XLSX")
    width = len(dataset.columns)
    texts = [_reader(kind(column)) for column in dataset.columns]
    found = tuple(
        tuple(
            None if cell is None else text(cell)
            for text, cell in zip(texts, (*row, *[None] * (width - len(row))), strict=True)
        )
        for row in rows
    )
    book.close()
    return found


def _reader(kind_: Kind) -> Callable[[Any], str]:
    def text(cell: Any) -> str:
        if isinstance(cell, bool) or not isinstance(cell, str | datetime):
            return kind_.text(cell)
        return cell.date().isoformat() if isinstance(cell, datetime) else cell

    return text
