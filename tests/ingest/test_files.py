"""The files connector: what people drop into folders, with everything that their programs do to it."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from khochung.errors import ConfigurationError, ContractError, SourceUnavailableError
from khochung.extract import Delivery, Window, files, folders, open_delivery
from tests.ingest.toy_source import make_source

COLUMNS = {"ma": "text", "ten": "text"}
CSV: dict[str, Any] = {"kind": "csv", "delimiter": ";"}
XLSX: dict[str, Any] = {"kind": "xlsx", "sheet": "Sheet1", "header_row": 3, "total_row": "Tổng"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", str(tmp_path))
    return tmp_path


def drop(folder: Path, name: str, content: str | bytes = "ma;ten\n1;a\n") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return settle(path)


def settle(path: Path) -> Path:
    os.utime(path, (1e9, 1e9))
    return path


def book(folder: Path, name: str, *rows: list[Any]) -> Path:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Sheet1"
    for row in rows:
        sheet.append(row)
    workbook.save(folder / name)
    return settle(folder / name)


def deliver(
    form: dict[str, Any] = CSV, as_of: date = date(2025, 9, 30), known: frozenset[str] = frozenset(), **options: Any
) -> list[tuple[Delivery, list[list[str | None]]]]:
    """Each delivery with its rows."""
    columns, paths = options.pop("columns", COLUMNS), options.pop("paths", {})
    source, table = make_source("toy", "files", columns, **({"path": "ds_*", "format": form} | options))
    declared = [column.model_copy(update={"path": paths.get(column.name, column.name)}) for column in table.columns]
    table = table.model_copy(update={"columns": tuple(declared)})
    window = Window(as_of, None, datetime(2025, 10, 1, tzinfo=UTC))
    with open_delivery(source, table, window, known) as deliveries:
        return [
            (each, [list(row.values()) for batch in each.batches for row in batch.select(list(columns)).to_pylist()])
            for each in deliveries
        ]


def rows(form: dict[str, Any] = CSV, **options: Any) -> list[list[str | None]]:
    return deliver(form, **options)[0][1]


def test_csv_as_it_is_written(folder: Path) -> None:
    drop(folder, "ds_20250901.csv", 'ten;bỏ;ma\r\n"Hai\ndòng";;01\r\n\r\n"Nói ""vâng""; rồi";x;02\r\n;;03\r\n')
    ((delivery, found),) = deliver()
    assert found == [["01", "Hai\ndòng"], ["02", 'Nói "vâng"; rồi'], ["03", None]]
    assert (delivery.counted, delivery.unknown_fields, delivery.origin) == (3, {"bỏ"}, "ds_20250901.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_the_header(folder: Path, encoding: str) -> None:
    drop(folder, "ds_20250901.csv", "\ufeffma;ten\n1;Ánh\n")
    assert rows(CSV | {"encoding": encoding}) == [["1", "Ánh"]]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (
            "ma;ten\n1;Ánh\n".encode("cp1258", errors="replace") + b"\xc1\xff",
            r"ds_20250901\.csv, line 2: byte 9 of the file is not utf-8; .*`encoding`",
        ),
        ("ma;họ\n1;a\n", r"toy\.thing: ds_20250901\.csv lacks ten;.*_toy__sources\.yml"),
        ("", r"toy\.thing: ds_20250901\.csv has no header in row 1"),
        ("ma;ten\n1;a;b\n", r"ds_20250901\.csv, line 2: 3 cells under 2 headers; a separator"),
        ('ma;ten\n1;"a\n', r"ds_20250901\.csv cannot be read as CSV from line 2 on"),
    ],
)
def test_csv_that_cannot_be_taken(folder: Path, content: str | bytes, match: str) -> None:
    drop(folder, "ds_20250901.csv", content)
    with pytest.raises(ContractError, match=match):
        deliver()


def test_a_workbook_with_titles_totals_and_floats(folder: Path) -> None:
    book(
        folder, "ds_202509.xlsx",
        ["DANH SÁCH"], [], ["ma", "ten"], [25510.0, 1.5], ["0012", datetime(2025, 9, 2)], [], ["Tổng cộng", 2], ["Ghi chú", "x"],
    )  # fmt: skip
    assert rows(XLSX) == [["25510", "1.5"], ["0012", "02/09/2025"]]


def test_workbooks_that_cannot_be_taken(folder: Path) -> None:
    book(folder, "ds_202509.xlsx", ["x"], [], ["ma", "ten"])
    with pytest.raises(ContractError, match="no sheet “Khác”, only Sheet1"):
        deliver(XLSX | {"sheet": "Khác"})
    drop(folder, "ds_202509.xlsx", "no workbook")
    with pytest.raises(ContractError, match=r"ds_202509\.xlsx cannot be read as XLSX"):
        deliver(XLSX)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("ds_20250901.csv", date(2025, 9, 1)),
        ("ds_202502.csv", date(2025, 2, 28)),
        ("ds_202402.xlsx", date(2024, 2, 29)),
    ],
)
def test_the_date_is_in_the_name(name: str, day: date) -> None:
    assert files.file_date(name) == day


@pytest.mark.parametrize("name", ["ds_20250931.csv", "ds_202513.csv", "ds_moi.csv", "ds_2025.csv"])
def test_a_name_without_a_day(folder: Path, name: str) -> None:
    drop(folder, name)
    with pytest.raises(ContractError, match=rf"{name}.*_YYYYMMDD"):
        deliver()


def test_a_snapshot_is_the_newest_up_to_the_day(folder: Path) -> None:
    for day in ("20250810", "20250901", "20251001"):
        drop(folder, f"ds_{day}.csv", f"ma;ten\n{day};x\n")
    assert rows() == [["20250901", "x"]]
    assert rows(as_of=date(2025, 8, 31)) == [["20250810", "x"]]
    digest = deliver()[0][0].origin_sha256
    assert digest is not None
    assert deliver(known=frozenset([digest])) == [], "the same file is not delivered again"


def test_appended_files_come_once_each_and_oldest_first(folder: Path) -> None:
    for month in ("202509", "202507", "202508"):
        drop(folder, f"ds_{month}.csv", f"ma;ten\n{month};x\n")
    found = deliver(load="append")
    assert [delivery.origin for delivery, _ in found] == ["ds_202507.csv", "ds_202508.csv", "ds_202509.csv"]
    known = frozenset(str(delivery.origin_sha256) for delivery, _ in found[:2])
    assert [delivery.origin for delivery, _ in deliver(load="append", known=known)] == ["ds_202509.csv"]
    drop(folder, "ds_202507.csv", "ma;ten\n202507;corrected\n")
    again = deliver(load="append", known=known)
    assert [delivery.origin for delivery, _ in again] == ["ds_202507.csv", "ds_202509.csv"]


def test_a_file_that_is_still_being_written_is_left_for_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop(folder, "ds_20250901.csv")
    path.touch()

    def write_on(_: float) -> None:
        with path.open("a", encoding="utf-8") as stream:
            stream.write("2;b\n")

    monkeypatch.setattr(folders.time, "sleep", write_on)
    assert deliver() == []
    monkeypatch.setattr(folders.time, "sleep", lambda _: None)
    assert rows() == [["1", "a"], ["2", "b"]]


def test_nothing_to_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceUnavailableError, match=r"no file ds_\* dated up to 2025-09-30 .*ask the owner"):
        deliver()
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", str(folder / "gone"))
    with pytest.raises(SourceUnavailableError, match=r"folder is not there.*KHOCHUNG_SOURCE_TOY_FOLDER"):
        deliver()
    monkeypatch.delenv("KHOCHUNG_SOURCE_TOY_FOLDER")
    with pytest.raises(ConfigurationError, match="KHOCHUNG_SOURCE_TOY_FOLDER is not set"):
        deliver()


def test_a_source_has_its_folder_among_those_of_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own variable still wins."""
    shared = folder / "shared"
    monkeypatch.setenv("KHOCHUNG_SOURCES_FOLDER", str(shared))
    with pytest.raises(SourceUnavailableError, match="no file"):
        deliver()
    monkeypatch.delenv("KHOCHUNG_SOURCE_TOY_FOLDER")
    with pytest.raises(SourceUnavailableError, match="folder is not there"):
        deliver()
    (shared / "toy").mkdir(parents=True)
    drop(shared / "toy", "ds_20250930.csv")
    assert len(deliver()) == 1
