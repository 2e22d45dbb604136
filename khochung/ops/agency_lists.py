"""Error lists: what each agency has to mend in its own systems, as CSV and XLSX, in an internal folder.

`internal/agencies/<agency>/loi-du-lieu.{csv,xlsx}`: folders 0700, files 0600, replaced whole. An agency's folder holds
its own issues and nobody else's. Values are masked as the issue log has them; a record key is shown whole, whatever its
privacy class, since without it the agency cannot find its record. That is why the lists never go anywhere by themselves.
"""

import csv
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Protocol

import xlsxwriter

from khochung import contract, warehouse
from khochung.contract import Source
from khochung.settings import Settings

NAME = "loi-du-lieu"
# Headings in both languages, with the width of the column in letters.
COLUMNS: dict[str, int] = {
    "Hệ thống nguồn / Source": 28,
    "Bảng / Table": 20,
    "Khóa bản ghi / Record key": 36,
    "Trường tại nguồn / Field at the source": 28,
    "Mã lỗi / Issue code": 26,
    "Mức độ / Severity": 22,
    "Giá trị (đã che) / Value (masked)": 28,
    "Giải thích / Explanation": 60,
    "Cách xử lý / What to do": 80,
    "Phát hiện lần đầu / First seen": 18,
    "Tồn tại từ / Open since": 18,
    "Số ngày tồn / Age in days": 14,
}
SEVERITY = {
    "critical": "nghiêm trọng / critical",
    "warning": "cảnh báo / warning",
    "info": "lưu ý / info",
}
# The longest lists have the same words a hundred thousand times: severity first, then what is mended in one go.
ISSUES = """
    select
        issue.agency, issue.source_name, issue.table_name, issue.record_key, issue.field, issue.issue_code, issue.severity,
        issue.masked_value, code.title_vi || ' / ' || code.title_en, code.remedy_vi || ' / ' || code.remedy_en,
        issue.first_seen, issue.open_since, %s - issue.open_since
    from quality.issue
    join seeds.issue_code as code using (issue_code)
    where issue.closed_at is null
    order by
        issue.agency, array_position(array['critical', 'warning', 'info'], issue.severity), issue.source_name,
        issue.table_name, issue.issue_code, issue.field, issue.record_key
"""
XLSX_ROWS = 1_048_576  # of one sheet, the heading included
BATCH = 5000
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ufffe\uffff]")
# What a spreadsheet takes for a formula: at the start, and behind a separator, where another separator begins a cell.
_FORMULA = re.compile(r"(^|[,;\t])(\s*)([=+\-@＝＋－＠])")

Row = tuple[str | int | date | None, ...]


class Writer(Protocol):
    """Takes the rows of one list, one at a time."""

    def write(self, row: Row) -> None: ...


def write(settings: Settings, as_of: date) -> dict[str, int]:
    """Write every agency's lists anew, as of a day; returns the number of open issues by agency.

    An agency without open issues gets an empty list: that it is empty is the news. The folder of an agency that neither
    owns a source nor has an open issue is removed.
    """
    root = _room(settings.internal / "agencies")
    for leftover in root.glob(".partial-*"):  # of a run that was killed
        shutil.rmtree(leftover)
    workshop = root / f".partial-{os.getpid()}"
    workshop.mkdir(mode=0o700)
    sources = contract.sources().values()
    wording, counts = Wording.of(sources), dict.fromkeys(sorted({source.owner_agency for source in sources}), 0)
    try:
        with warehouse.connect(settings, "operator") as connection, connection.cursor(name="agency_lists") as cursor:
            cursor.itersize = BATCH
            cursor.execute(ISSUES, [as_of])
            for agency, rows in groupby(cursor, key=lambda row: str(row[0])):
                counts[agency] = _write_list(workshop / _digest(agency), map(wording.row, rows))
        for agency in counts:
            if counts[agency] == 0:
                _write_list(workshop / _digest(agency), [])
        _replace(root, workshop, slugs(counts))
    finally:
        shutil.rmtree(workshop)
    return counts


def slugs(agencies: Iterable[str]) -> dict[str, str]:
    """Folder name by agency: ASCII, and told apart where two names differ in their accents only."""
    plain = {agency: _fold(agency) for agency in agencies}
    taken = list(plain.values())
    return {
        agency: slug if slug and taken.count(slug) == 1 else f"{slug}-{_digest(agency)[:6]}".lstrip("-")
        for agency, slug in plain.items()
    }


@lru_cache(maxsize=1024)  # the explanations come again and again
def harmless(value: str) -> str:
    """A text that no spreadsheet takes for a formula, in one line."""
    return _FORMULA.sub(r"\1\2'\3", _UNPRINTABLE.sub(" ", value))


def _fold(name: str) -> str:
    letters = unicodedata.normalize("NFD", name.lower().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]+", "-", "".join(c for c in letters if not unicodedata.combining(c))).strip("-")


def _digest(agency: str) -> str:
    return hashlib.sha256(agency.encode()).hexdigest()


def _room(folder: Path) -> Path:
    """The folder, closed to everybody else."""
    folder.mkdir(parents=True, exist_ok=True)
    for place in (folder.parent, folder):
        place.chmod(0o700)
    return folder


@dataclass(frozen=True)
class Wording:
    """What the contracts call things: sources by name, and fields as the source itself calls them."""

    titles: dict[str, str]
    fields: dict[tuple[str, str, str], str]

    @classmethod
    def of(cls, sources: Iterable[Source]) -> "Wording":
        tables = [(source, table) for source in sources for table in source.tables]
        return cls(
            {source.name: f"{source.title_vi} ({source.name})" for source, _ in tables},
            {
                (table.source, table.name, column.name): f"{column.path} ({column.name})"
                for _, table in tables
                for column in table.columns
            },
        )

    def row(self, issue: tuple[Any, ...]) -> Row:
        """One line of a list, from a row of ISSUES."""
        _, source, table, key, field, code, severity, value, *rest = issue
        place = (self.titles.get(source, source), table, key, self.fields.get((source, table, field), field))
        return (*place, code, SEVERITY[severity], value, *rest)


def _write_list(stem: Path, rows: Iterable[Row]) -> int:
    count = 0
    with ExitStack() as files:
        outputs = (_csv(stem.with_suffix(".csv")), _xlsx(stem.with_suffix(".xlsx")))
        writers = [files.enter_context(output) for output in outputs]
        for row in rows:
            count += 1
            line = tuple(harmless(cell) if isinstance(cell, str) else cell for cell in row)
            for writer in writers:
                writer.write(line)
    return count


@contextmanager
def _private(path: Path, mode: str, **options: Any) -> Iterator[IO[Any]]:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    with os.fdopen(descriptor, mode, **options) as stream:
        yield stream


@contextmanager
def _csv(path: Path) -> Iterator[Writer]:
    """RFC 4180 with every cell in quotes, and a byte order mark, by which Excel knows that it is UTF-8."""
    with _private(path, "w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(COLUMNS)
        yield _CsvList(writer)


class _CsvList:
    def __init__(self, writer: Any) -> None:
        self.write = writer.writerow


@contextmanager
def _xlsx(path: Path) -> Iterator[Writer]:
    """One sheet, written row by row; its temporary file lies beside it and not where others can read."""
    options = {"constant_memory": True, "tmpdir": str(path.parent), "default_date_format": "dd/mm/yyyy"}
    with _private(path, "w+b") as stream, closing(xlsxwriter.Workbook(stream, options)) as book:
        sheet = _XlsxList(book)
        yield sheet
        sheet.finish()


class _XlsxList:
    def __init__(self, book: Any) -> None:
        self.sheet = book.add_worksheet("Lỗi dữ liệu")
        heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        self.sheet.freeze_panes(1, 0)
        for place, (title, width) in enumerate(COLUMNS.items()):
            self.sheet.set_column(place, place, width)
            self.sheet.write_string(0, place, title, heading)
        self.rows = 0

    def write(self, row: Row) -> None:
        self.rows += 1
        if self.rows > XLSX_ROWS - 2:  # the last row is for the word that there are more
            return
        for place, cell in enumerate(row):
            if isinstance(cell, str):
                self.sheet.write_string(self.rows, place, cell)
            elif isinstance(cell, date):
                self.sheet.write_datetime(self.rows, place, cell)
            elif cell is not None:
                self.sheet.write_number(self.rows, place, cell)

    def finish(self) -> None:
        last = min(self.rows, XLSX_ROWS - 2)
        if self.rows > last:
            self.sheet.write_string(
                last + 1, 0,
                f"Còn {self.rows - last:,} lỗi nữa: danh sách đầy đủ ở tệp {NAME}.csv cùng thư mục. / "
                f"{self.rows - last:,} more issues: {NAME}.csv beside this file has all {self.rows:,}.",
            )  # fmt: skip
        self.sheet.autofilter(0, 0, last, len(COLUMNS) - 1)


def _replace(root: Path, workshop: Path, folders: dict[str, str]) -> None:
    """Put the finished lists in the place of the last ones, and remove what is left of agencies that are gone."""
    for agency, slug in folders.items():
        folder = _room(root / slug)
        for suffix in (".csv", ".xlsx"):
            os.replace((workshop / _digest(agency)).with_suffix(suffix), folder / f"{NAME}{suffix}")
    for folder in root.iterdir():
        if folder != workshop and folder.name not in folders.values():
            shutil.rmtree(folder)
