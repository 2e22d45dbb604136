"""File drops of the business registry and of the code list of administrative units."""

import csv
import datetime
import io
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import xlsxwriter

from simulator import NOTICE_VI, defects
from simulator.clock import START, month_start
from simulator.columns import day_number, iso_day
from simulator.delivery import Table, chunks
from simulator.layouts import PLACE, Layout
from simulator.province import Province
from simulator.units import change_rows, unit_rows
from simulator.world.business import HouseholdBusinesses, Places

SHEET = "Danh sách"
TOTAL = "Tổng cộng"


def place_file(path: Path, content: bytes) -> None:
    """Write under a temporary name and rename; an equal file stays untouched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_bytes() == content:
        return
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(content)
    partial.rename(path)


def remove_later(folder: Path, as_of: int) -> None:
    """Remove files of days after the simulated one, left from a run with a later day."""
    stamp = _day_stamp(as_of)
    for path in folder.rglob("*_*"):
        dated = re.search(r"_(\d{8})\.", path.name)
        month = re.search(r"_(\d{4})(\d{2})\.", path.name)
        open_month = month and month_file(day_number(f"{month[1]}-{month[2]}-01"), as_of) != month[1] + month[2]
        if open_month or (dated and dated[1] > stamp):
            path.unlink()


def csv_bytes(header: Iterable[str], rows: Iterable[Iterable[object]], delimiter: str, bom: bool) -> bytes:
    """CSV text as bytes; empty for missing values."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n" if bom else "\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig" if bom else "utf-8")


def _day_stamp(as_of: int) -> str:
    return iso_day(as_of).replace("-", "")


def _collect(table: Table, as_of: int) -> tuple[pa.Table, np.ndarray, defects.Found]:
    pieces, seconds, found = [], [np.zeros(0, dtype=np.int64)], []
    for columns, updated, spoiled in chunks(table, as_of):
        pieces.append(pa.table(columns))
        seconds.append(updated)
        found += spoiled
    whole = (
        pa.concat_tables(pieces) if pieces else pa.table({n: pa.array([], pa.string()) for n in table.layout.fields})
    )
    return whole, np.concatenate(seconds), found


def _tuples(table: pa.Table, layout: Layout) -> list[tuple[str | None, ...]]:
    return list(zip(*(table[name].to_pylist() for name in layout.fields), strict=True))


def write_admin(folder: Path, as_of: int, province: Province) -> None:
    """Both code lists as on the day: comma, UTF-8 without BOM."""
    iso, stamp = iso_day(as_of), _day_stamp(as_of)
    lists = (
        ("don_vi_hanh_chinh", "units.csv", unit_rows(iso, province)),
        ("bien_dong_dvhc", "unit_change.csv", change_rows(iso, province)),
    )
    for name, origin, rows in lists:
        place_file(
            folder / f"{name}_{stamp}.csv", csv_bytes(province.rows(origin)[0], (r.values() for r in rows), ",", False)
        )


def write_places(folder: Path, places: Places, as_of: int) -> None:
    """Ward ids of the registration system."""
    rows = [[row[name] for name in PLACE.fields] for row in places.rows(as_of)]
    content = csv_bytes(PLACE.fields.values(), rows, ";", True)
    place_file(folder / f"{PLACE.path}_{_day_stamp(as_of)}.csv", content)


def write_list(folder: Path, table: Table, as_of: int) -> defects.Found:
    """The whole list as on the day, or one file per month: semicolons, UTF-8 with BOM."""
    if table.layout.monthly:
        return write_months(folder, table, as_of)
    whole, _, found = _collect(table, as_of)
    content = csv_bytes(table.layout.fields.values(), _tuples(whole, table.layout), ";", True)
    place_file(folder / f"{table.layout.path}_{_day_stamp(as_of)}.csv", content)
    return found


def month_file(day: int, as_of: int) -> str:
    """Name of the file of a day's month: complete, or up to the simulated day."""
    first = month_start(day)
    following = month_start(first + 31)
    month = iso_day(first)[:7].replace("-", "")
    return f"{month}" if following - 1 <= as_of else f"{month}_den_{_day_stamp(as_of)}"


def write_months(folder: Path, table: Table, as_of: int) -> defects.Found:
    """One file per month of what happened in it."""
    whole, seconds, found = _collect(table, as_of)
    days = seconds // 86_400
    rows = _tuples(whole, table.layout)
    first = START
    while first <= as_of:
        following = month_start(first + 31)
        at = np.flatnonzero((days >= first) & (days < following))
        content = csv_bytes(table.layout.fields.values(), (rows[i] for i in at.tolist()), ";", True)
        place_file(folder / f"{table.layout.path}_{month_file(first, as_of)}.csv", content)
        first = following
    return found


def write_households(folder: Path, table: HouseholdBusinesses, as_of: int) -> defects.Found:
    """The list of household businesses: a sheet as offices make them, titles above, total and notes below."""
    whole, _, found = _collect(table, as_of)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"constant_memory": True, "strings_to_urls": False})
    book.set_properties({"created": datetime.datetime(2024, 1, 1), "comments": NOTICE_VI})
    sheet = book.add_worksheet(SHEET)
    day = "/".join(reversed(iso_day(as_of).split("-")))
    titles = (
        "SỞ TÀI CHÍNH - PHÒNG ĐĂNG KÝ KINH DOANH",
        "DANH SÁCH HỘ KINH DOANH",
        f"Đến ngày {day}",
        NOTICE_VI,
    )
    for number, title in enumerate(titles):
        sheet.write_string(number, 0, title)
    for column, title in enumerate(table.layout.fields.values()):
        sheet.write_string(4, column, title)
    number = 5
    for row in _tuples(whole, table.layout):
        for column, value in enumerate(row):
            if value:
                sheet.write_string(number, column, value)
        number += 1
    sheet.write_string(number, 0, TOTAL)
    sheet.write_number(number, 1, len(whole))
    sheet.write_string(number + 1, 0, "Ghi chú: từ 1/7/2025 mã số hộ kinh doanh là số định danh cá nhân của chủ hộ.")
    sheet.write_string(number + 2, 0, NOTICE_VI)
    book.close()
    place_file(folder / f"{table.layout.path}_{_day_stamp(as_of)}.xlsx", buffer.getvalue())
    return found
