"""CSV through two parsers: whatever a file holds, Arrow's way gives what Python's csv module gives, or neither does."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khochung.contract import FileFormat
from khochung.errors import ContractError
from khochung.extract import Delivery, delimited, encodings, text_schema
from khochung.extract.delimited import Csv
from tests.ingest.toy_source import make_source

_, TABLE = make_source("toy", "files", {"ma": "text", "ten": "text"}, path="ds_*", format={"kind": "csv"})
Rows = list[list[str | None]]
BROKEN = "refused"


def read(path: Path, encoding: str = "utf-8", **form: Any) -> Rows:
    delivery = Delivery(text_schema(TABLE), iter(()), path.name)
    table = Csv(path, TABLE, FileFormat(kind="csv", delimiter=";", **form), encoding, path.name)
    return [list(row.values()) for batch in table.batches(delivery) for row in batch.to_pylist()]


def outcome(call: Callable[[], Rows]) -> Rows | str:
    try:
        return call()
    except ContractError:
        return BROKEN


def reference(content: str) -> Rows:
    """What Python's csv module sees: rows of two cells below the header, empty rows left out."""
    try:
        rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=";", strict=True))[1:]
    except csv.Error as error:
        raise ContractError("csv") from error
    found: Rows = []
    for row in rows:
        if not any(row) or (len(row) == 1 and not row[0].strip()):
            continue
        if len(row) < 2 or any(row[2:]):
            raise ContractError("ragged")
        found.append([cell or None for cell in row[:2]])
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv") / "ds_20250901.csv"


@settings(max_examples=600, deadline=None)
@given(
    soup=st.lists(st.sampled_from(["a", "Ế", "01", ";", ";", '"', '""', "\n", "\n", "\r\n", "\r", " ", ";b\n", '"c"'])),
    block=st.sampled_from([3, 16, 64, 1 << 20]),
)
def test_any_soup_of_signs(path: Path, soup: list[str], block: int) -> None:
    content = "ma;ten\n" + "".join(soup)
    path.write_bytes(content.encode())
    with mock.patch.object(encodings, "BLOCK", block):
        assert outcome(lambda: read(path)) == outcome(lambda: reference(content))


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(CELL, CELL), max_size=40),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    block=st.sampled_from([64, 1 << 20]),
)
def test_what_a_program_wrote_comes_back(
    path: Path, rows: list[tuple[str, str]], quoting: Any, end: str, block: int
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", quoting=quoting, lineterminator=end).writerows([("ma", "ten"), *rows])
    path.write_bytes(out.getvalue().encode("utf-8-sig"))
    expected = [[cell or None for cell in row] for row in rows if any(row)]
    with mock.patch.object(encodings, "BLOCK", block):
        assert read(path) == expected


def test_regular_files_do_not_need_the_exact_parser(path: Path) -> None:
    rows = "".join(f'{number};"Nguyễn ""A"";\r\n{number}"\r\n' for number in range(50_000))
    path.write_bytes(f"\ufeffma;ten\r\n{rows}".encode())
    with mock.patch.object(delimited.tabular, "batches", side_effect=AssertionError("the exact parser was asked")):
        found = read(path)
    assert (len(found), found[-1]) == (50_000, ["49999", 'Nguyễn "A";\r\n49999'])


def big(last: str, header: str = "ma;ten") -> str:
    """Rows over several blocks, cells over two lines; `last` stands on line 120,002."""
    return header + "\n" + "".join(f'{number};"a\nb"\n' for number in range(60_000)) + last


@pytest.mark.parametrize(
    ("last", "match"),
    [
        ("1;a;b\n", "line 120002: 3 cells under 2 headers"),
        ("1", "line 120002: 1 cells under 2 headers; .*cut short"),
        ('1;"a', "from line 120002 on: unexpected end of data"),
        ('1;"a"b\n', "from line 120002 on: ';' expected after"),
        ("1;a\0\n", "line 120002: a NUL byte"),
        ("1;" + "a" * 1_000_001, "from line 120002 on: field larger than field limit"),
    ],
)
def test_the_line_is_named_far_down_too(path: Path, last: str, match: str) -> None:
    path.write_bytes(big(last).encode())
    with pytest.raises(ContractError, match=match):
        read(path)


@pytest.mark.parametrize("last", ["1;a;;\n", "   \n;;\n1;a\n", '1;a\n"";\n'])
def test_small_faults_far_down_lose_no_row(path: Path, last: str) -> None:
    """Where Arrow stops, the exact parser goes on behind the last row that is out."""
    path.write_bytes(big(last).encode())
    found = read(path)
    assert [row[0] for row in found] == [*map(str, range(60_000)), "1"]


def test_a_byte_that_cannot_be_decoded_far_down(path: Path) -> None:
    path.write_bytes(big("1;").encode() + b"\xff\n")
    with pytest.raises(ContractError, match=r"line 120002: byte [0-9,]+ of the file is not utf-8"):
        read(path)


def test_several_header_rows_title_total_and_notes(path: Path) -> None:
    path.write_text(
        'DANH SÁCH;"của\nSở"\n;\nMã;Doanh nghiệp;;Ghi chú\n;Tên;Vốn;\n1;a;5;\n2;b;6;x\nTổng cộng: 2;;11;\nNgười lập\n',
        encoding="utf-8",
    )
    columns = {"ma": "Mã", "ten": "Doanh nghiệp / Tên", "von": "Doanh nghiệp / Vốn", "ghi_chu": "Ghi chú"}
    _, table = make_source("toy", "files", dict.fromkeys(columns, "text"))
    declared = tuple(column.model_copy(update={"path": columns[column.name]}) for column in table.columns)
    form = FileFormat(
        kind="csv", delimiter=";", header_row=3, header_rows=2, total_row="Tổng cộng", counted_by_total=True
    )
    table = table.model_copy(update={"columns": declared})
    delivery = Delivery(text_schema(table), iter(()), path.name)
    batches = Csv(path, table, form, "utf-8", path.name).batches(delivery)
    found = [list(row.values()) for batch in batches for row in batch.to_pylist()]
    assert found == [["1", "a", "5", None], ["2", "b", "6", "x"]]
    path.write_text("Mã;Doanh nghiệp;;Ghi chú\n;Tên;Vốn;\n1;a;5;\nTổng cộng: 2;;;\n", encoding="utf-8")
    form = form.model_copy(update={"header_row": 1})
    with pytest.raises(ContractError, match="its total row says 2 rows, 1 stand above it"):
        list(Csv(path, table, form, "utf-8", path.name).batches(delivery))


@pytest.mark.parametrize("encoding", ["tcvn3", "vni", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("block", [7, 64, 1 << 20])
def test_other_encodings_go_both_ways(path: Path, encoding: str, block: int) -> None:
    rows = [[f"{number}", "Nguyễn Thị Hường;\nấp Bình Tả" if number % 3 else "đ"] for number in range(200)]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";").writerows([["ma", "ten"], *rows])
    path.write_bytes(out.getvalue().encode(encoding))
    with mock.patch.object(encodings, "BLOCK", block):
        assert read(path, encoding) == rows


def test_cells_that_a_spreadsheet_would_calculate_are_text(path: Path) -> None:
    path.write_text("ma;ten\n=1+1;@SUM(A1)\n+84;-1\n1.2E+11;0012\n", encoding="utf-8")
    assert read(path) == [["=1+1", "@SUM(A1)"], ["+84", "-1"], ["1.2E+11", "0012"]]
