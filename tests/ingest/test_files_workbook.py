"""Workbooks as offices make them, in both formats, and workbooks that mean harm."""

import contextlib
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from khochung.contract import FileFormat
from khochung.errors import ContractError
from khochung.extract import Delivery, text_schema, workbook
from tests.ingest.toy_source import make_source

Cells = list[list[Any]]
Merged = list[tuple[int, int, int, int]]  # first row, first column, last row, last column, from 1


def write_xlsx(path: Path, cells: Cells, merged: Merged = [], formats: dict[tuple[int, int], str] = {}) -> None:  # noqa: B006
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Sheet1"
    for row in cells:
        sheet.append(row)
    for top, left, bottom, right in merged:
        sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)
    for (row, column), form in formats.items():
        sheet.cell(row, column).number_format = form
    book.save(path)


def write_xls(path: Path, cells: Cells, merged: Merged = [], formats: dict[tuple[int, int], str] = {}) -> None:  # noqa: B006
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Sheet1")
    natural = {datetime: "dd/mm/yyyy hh:mm:ss", date: "dd/mm/yyyy", time: "hh:mm:ss"}
    held = {(top, left) for top, left, _, _ in merged}
    for top, left, bottom, right in merged:
        sheet.merge(top - 1, bottom - 1, left - 1, right - 1)
    for number, row in enumerate(cells):
        for place, value in enumerate(row):
            inside = any(
                top <= number + 1 <= bottom and left <= place + 1 <= right for top, left, bottom, right in merged
            )
            if value is None or (inside and (number + 1, place + 1) not in held):
                continue
            form = formats.get((number + 1, place + 1)) or natural.get(type(value), "General")
            if isinstance(value, str) and value.startswith("=") and len(value) > 1:
                value = xlwt.Formula(value[1:])
            sheet.write(number, place, value, xlwt.easyxf(num_format_str=form))
    book.save(str(path))


WRITERS = pytest.mark.parametrize("write", [write_xlsx, write_xls], ids=["xlsx", "xls"])
Writer = Callable[..., None]


def read(path: Path, columns: dict[str, str] | None = None, delivery: Delivery | None = None, **form: Any) -> Cells:
    """Rows of the sheet; `columns` maps names to paths."""
    paths = columns or {"ma": "ma", "ten": "ten"}
    _, table = make_source("toy", "files", dict.fromkeys(paths, "text"), format={"kind": "xlsx"} | form)
    declared = tuple(column.model_copy(update={"path": paths[column.name]}) for column in table.columns)
    table = table.model_copy(update={"columns": declared})
    assert table.format is not None
    delivery = delivery or Delivery(text_schema(table), iter(()), path.name)
    found = workbook.batches(path, table, table.format, path.name, delivery)
    return [list(row.values()) for batch in found for row in batch.select(list(paths)).to_pylist()]


@WRITERS
def test_a_sheet_as_offices_make_it(tmp_path: Path, write: Writer) -> None:
    """Title, a header of two rows with merged groups, a merged district, total, notes."""
    cells = [
        ["SỞ TÀI CHÍNH"],
        [],
        ["Huyện", "Doanh nghiệp", None, "Vốn\n(đồng)"],
        [None, "Mã số", "Tên", None],
        ["Cần Giuộc", "0100109106", "A", 1500000000],
        [None, "0100109107", "B", 2.5],
        ["Tân Trụ", "0100109108", None, None],
        ["Tổng cộng: 3 doanh nghiệp", None, None, "=D5+D6"],
        ["Người lập biểu", None, "Thủ trưởng"],
    ]
    merged = [(3, 1, 4, 1), (3, 2, 3, 3), (3, 4, 4, 4), (5, 1, 6, 1)]
    write(tmp_path / "ds", cells, merged)
    columns = {"huyen": "Huyện", "ma": "Doanh nghiệp / Mã số", "ten": "Doanh nghiệp / Tên", "von": "Vốn (đồng)"}
    found = read(tmp_path / "ds", columns, header_row=3, header_rows=2, total_row="Tổng cộng", counted_by_total=True)
    assert found == [
        ["Cần Giuộc", "0100109106", "A", "1500000000"],
        ["Cần Giuộc", "0100109107", "B", "2.5"],
        ["Tân Trụ", "0100109108", None, None],
    ]


@WRITERS
@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        ("080123456789", None, "080123456789"),
        (80123456789, None, "80123456789"),  # the zero is lost: staging knows how to ask for it
        (80123456789.0, "0.00E+00", "80123456789"),  # shown in scientific notation, and all digits are there
        (1.2e11, "0.00E+00", "1.2E+11"),  # read from such a text: the digits are gone, and it shows
        (1.2e11, None, "120000000000"),
        (123456789012345000, None, "1.23456789012345E+17"),  # Excel does not keep so many digits
        (12.0, None, "12"),
        (0.00001, None, "0.00001"),
        (-2.5, None, "-2.5"),
        (True, None, "TRUE"),
        (datetime(2025, 9, 2), "dd/mm/yyyy", "02/09/2025"),
        (datetime(2025, 9, 2, 13, 45, 10), "dd/mm/yyyy hh:mm:ss", "02/09/2025 13:45:10"),
        (time(7, 30), "hh:mm:ss", "07:30:00"),
        ("  giữ\nnguyên ", None, "  giữ\nnguyên "),
        ("+84912345678", None, "+84912345678"),
        ("@x", None, "@x"),
    ],
)
def test_values_as_text(tmp_path: Path, write: Writer, value: Any, form: str | None, text: str) -> None:
    write(tmp_path / "ds", [["ma", "ten"], ["1", value]], formats={(2, 2): form} if form else {})
    assert read(tmp_path / "ds") == [["1", text]]


def test_text_that_only_looks_like_a_formula_stays(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["ma", "ten"])
    sheet.append(["1", "x"])
    sheet["B2"].value = "=1+1"
    sheet["B2"].data_type = "s"
    book.save(tmp_path / "ds")
    assert read(tmp_path / "ds") == [["1", "=1+1"]]


def test_the_other_types_of_a_cell() -> None:
    assert workbook.as_text(timedelta(hours=30, minutes=5, seconds=9), False) == "30:05:09"
    assert workbook.as_text(date(2025, 9, 2), False) == "02/09/2025"
    assert workbook.as_text("", False) is None


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_a_whole_number_keeps_its_digits(number: int) -> None:
    assert workbook.as_text(number, False) == workbook.as_text(float(number), False) == str(number)


@WRITERS
def test_dates_take_the_form_that_the_column_declares(tmp_path: Path, write: Writer) -> None:
    write(tmp_path / "ds", [["ma", "ngay"], ["1", datetime(2025, 9, 2, 13, 45, 10)], ["2", "2/9/2025"]])
    forms = {"yyyy-MM-dd": "2025-09-02 13:45:10", "yyyyMMddHHmmss": "20250902134510"}
    for form, text in forms.items():
        _, table = make_source("toy", "files", {"ma": "text", "ngay": "text"}, format={"kind": "xlsx"})
        column = table.columns[1].model_copy(update={"date_format": form})
        table = table.model_copy(update={"columns": (table.columns[0], column)})
        delivery = Delivery(text_schema(table), iter(()), "ds")
        batch = next(workbook.batches(tmp_path / "ds", table, FileFormat(kind="xlsx"), "ds", delivery))
        assert batch.column(1).to_pylist() == [text, "2/9/2025"], "what was typed as text is left alone"


@WRITERS
@pytest.mark.parametrize(
    ("cells", "where"),
    [([["ma", "ten"], ["1", "a"], ["2", "=1+1"]], "B3"), ([["ma", "=1+1", "ten"], ["1", None, "a"]], "B1")],
)
def test_a_formula_is_refused_with_its_address(tmp_path: Path, write: Writer, cells: Cells, where: str) -> None:
    write(tmp_path / "ds", cells)
    with pytest.raises(ContractError, match=rf"^ds, sheet “Sheet1”, cell {where}: a formula; .*values"):
        read(tmp_path / "ds", sheet="Sheet1")


@WRITERS
def test_a_formula_in_a_column_that_nobody_reads(tmp_path: Path, write: Writer) -> None:
    write(tmp_path / "ds", [["STT", "ma", "ten"], ["=1+0", "1", "a"]])
    assert read(tmp_path / "ds") == [["1", "a"]]


@WRITERS
@pytest.mark.parametrize(
    ("below", "form", "match"),
    [
        ([["1", "a", "x"], ["Tổng: 2", None, None]], {"counted_by_total": True}, "total row says 2 rows, 1 stand"),
        ([["1", "a", "x"], ["Tổng", None, None]], {"counted_by_total": True}, "total row says None rows, 1 stand"),
        ([["1", "a", "x"]], {"counted_by_total": True}, "no row starts with “Tổng” after 1 rows"),
        (
            [["1", "a", "x"], ["2", "Tổng công ty", "x"], ["3", "b", "y"]],
            {},
            "row 4: a row of data below the row “Tổng”",
        ),
    ],
)
def test_totals_that_do_not_add_up(
    tmp_path: Path, write: Writer, below: Cells, form: dict[str, Any], match: str
) -> None:
    write(tmp_path / "ds", [["ma", "ten", "loai"], *below])
    with pytest.raises(ContractError, match=match):
        read(tmp_path / "ds", {"ma": "ma", "ten": "ten", "loai": "loai"}, total_row="Tổng", **form)


@WRITERS
def test_headers_that_cannot_be_taken(tmp_path: Path, write: Writer) -> None:
    write(tmp_path / "ds", [["ma", "ten", "ten"], ["1", "a", "b"]])
    with pytest.raises(ContractError, match="ds has more than one column ten"):
        read(tmp_path / "ds")
    with pytest.raises(ContractError, match="ds has no header in row 7"):
        read(tmp_path / "ds", header_row=7)
    with pytest.raises(ContractError, match="no sheet “Khác”, only Sheet1"):
        read(tmp_path / "ds", sheet="Khác")
    write(tmp_path / "ds", [["ma", "ten"], ["1", "a", "b"]])
    with pytest.raises(ContractError, match="ds, row 2: 3 cells under 2 headers"):
        read(tmp_path / "ds")


@WRITERS
def test_cut_and_damaged_workbooks(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "ds"
    write(path, [["ma", "ten"], *([str(number), "a"] for number in range(500))])
    whole = path.read_bytes()
    for damaged in (
        whole[: len(whole) // 2],
        whole[:600],
        whole[:8],
        b"<html><table><tr><td>ma</td></tr></table>",
        b"",
    ):
        path.write_bytes(damaged)
        with pytest.raises(ContractError, match=r"^ds cannot be read as XLSX? or XLS|^ds cannot be read as XLS "):
            read(path)


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def repack(path: Path, content: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in content.items():
            packed.writestr(name, body)


@pytest.fixture
def crafted(tmp_path: Path) -> Callable[[Callable[[bytes], bytes]], Path]:
    """A workbook whose sheet was changed behind its program's back."""

    def change(edit: Callable[[bytes], bytes]) -> Path:
        path = tmp_path / "ds"
        write_xlsx(path, [["ma", "ten"], ["1", "a"], ["2", "b"]])
        content = parts(path)
        content["xl/worksheets/sheet1.xml"] = edit(content["xl/worksheets/sheet1.xml"])
        repack(path, content)
        return path

    return change


def test_a_wrong_dimension_hides_no_row(crafted: Any) -> None:
    path = crafted(lambda sheet: sheet.replace(b'ref="A1:B3"', b'ref="A1"'))
    assert read(path) == [["1", "a"], ["2", "b"]]


def test_rows_out_of_order_are_not_dropped(crafted: Any) -> None:
    path = crafted(lambda sheet: sheet.replace(b'<row r="3"', b'<row r="2"'))
    with pytest.raises(ContractError, match="row 2 stands behind row 2"):
        read(path)


def test_entities_are_refused(crafted: Any) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet'
    path = crafted(lambda sheet: sheet.replace(b"<worksheet", bomb, 1))
    with pytest.raises(ContractError, match=r"^ds cannot be read"):
        read(path)


def test_a_bomb_is_not_unpacked(crafted: Any) -> None:
    path = crafted(lambda sheet: sheet.replace(b"</worksheet>", b" " * 30_000_000 + b"</worksheet>"))
    assert path.stat().st_size < 100_000
    with pytest.raises(ContractError, match=r"sheet1\.xml' unpacks to 30,.* a bomb"):
        read(path)


@WRITERS
def test_what_would_have_to_be_held_is_bounded(tmp_path: Path, write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "ds", [["ma", "ten"], ["1", "a"]])
    monkeypatch.setattr(workbook, "LARGEST_HELD", 100)
    with pytest.raises(ContractError, match="bytes would have to be held at once"):
        read(tmp_path / "ds")


def test_a_row_at_the_end_of_the_world(crafted: Any) -> None:
    far = b'<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>9</t></is></c></row></sheetData>'
    assert read(crafted(lambda sheet: sheet.replace(b"</sheetData>", far)))[-1] == ["9", None]


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_noise_is_refused_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int) -> None:
    path = tmp_path_factory.getbasetemp() / "noise"
    for write in (write_xlsx, write_xls):
        write(path, [["ma", "ten"], ["1", "a"]])
        body = bytearray(path.read_bytes())
        at = place % len(body)
        body[at : at + len(noise)] = noise
        path.write_bytes(body)
        with contextlib.suppress(ContractError):
            read(path)
