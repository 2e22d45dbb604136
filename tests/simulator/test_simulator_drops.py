"""File drops: names, encodings, sheet layout, months."""

import csv
import re
from collections.abc import Callable

import openpyxl
from simulator_home import Built

from simulator.layouts import ENTERPRISE, ENTERPRISE_EVENT, HOUSEHOLD_BUSINESS, PLACE


def test_business_csv_has_bom_and_semicolons(built: Built) -> None:
    folder = built.home / "drops" / "business"
    for layout, name in (
        (ENTERPRISE, "doanh_nghiep_20250930.csv"),
        (PLACE, "dm_dia_ban_20250930.csv"),
        (ENTERPRISE_EVENT, "bien_dong_202509.csv"),
    ):
        content = (folder / name).read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        header = content.decode("utf-8-sig").split("\r\n")[0]
        assert header == ";".join(layout.fields.values())


def test_months_are_complete_or_say_how_far(make: Callable[[str, float, int], Built]) -> None:
    names = {p.name for p in (make("2025-08-14", 0.005, 80).home / "drops" / "business").glob("bien_dong_*")}
    assert "bien_dong_202508_den_20250814.csv" in names
    assert "bien_dong_202507.csv" in names and "bien_dong_202508.csv" not in names
    assert len(names) == 26


def test_events_keep_their_numbers(make: Callable[[str, float, int], Built], built: Built) -> None:
    part = make("2025-08-14", 0.01, 80).home / "drops" / "business" / "bien_dong_202508_den_20250814.csv"
    whole = built.home / "drops" / "business" / "bien_dong_202508.csv"
    assert set(part.read_text("utf-8-sig").splitlines()) <= set(whole.read_text("utf-8-sig").splitlines())


def test_place_ids_are_internal(built: Built) -> None:
    path = built.home / "drops" / "business" / "dm_dia_ban_20250930.csv"
    rows = list(csv.DictReader(path.open(encoding="utf-8-sig"), delimiter=";"))
    assert len(rows) == 282 + 96 == len({r["WardID"] for r in rows})
    assert all(11_000 <= int(r["WardID"]) <= 30_000 for r in rows)
    codes = {r["MaGSO"] for r in rows}
    assert any(r["WardID"] in codes for r in rows)
    assert not any(r["WardID"] == r["MaGSO"] for r in rows)


def test_enterprises_refer_to_known_places(built: Built) -> None:
    folder = built.home / "drops" / "business"
    ids = {
        r["WardID"]
        for r in csv.DictReader((folder / "dm_dia_ban_20250930.csv").open(encoding="utf-8-sig"), delimiter=";")
    }
    spoiled = {d["record_key"] for d in built.defects() if d["field"] == "place_id"}
    rows = csv.DictReader((folder / "doanh_nghiep_20250930.csv").open(encoding="utf-8-sig"), delimiter=";")
    assert all(r["WardID"] in ids for r in rows if r["Mã số doanh nghiệp"] not in spoiled)


def test_household_sheet(built: Built) -> None:
    book = openpyxl.load_workbook(built.home / "drops" / "business" / "ho_kinh_doanh_20250930.xlsx", read_only=True)
    rows = list(book["Danh sách"].iter_rows(values_only=True))
    assert "sinh tự động" in str(rows[3][0])
    assert list(rows[4]) == list(HOUSEHOLD_BUSINESS.fields.values())
    total = next(i for i, row in enumerate(rows) if row[0] == "Tổng cộng")
    assert rows[total][1] == total - 5
    assert str(rows[total + 1][0]).startswith("Ghi chú")
    spoiled = {d["record_key"] for d in built.defects() if d["table"] == "household_business"}
    good = [r for r in rows[5:total] if r[0] and r[0] not in spoiled]
    assert all(re.fullmatch(r"[0-9]{12}", str(r[1])) and r[1] == r[4] for r in good)
    assert len({r[0] for r in good}) == len(good)


def test_moving_the_day_adds_files(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from simulator.build import Settings, build

    for day in ("2025-08-14", "2025-08-15"):
        build(Settings(tmp_path, 0.002, day, 80))
    names = {p.name for p in (tmp_path / "drops" / "business").iterdir()}
    assert {"doanh_nghiep_20250814.csv", "doanh_nghiep_20250815.csv"} <= names
    assert not [n for n in names if n.startswith(".")]
    build(Settings(tmp_path, 0.002, "2025-07-10", 80))
    earlier = {p.name for p in (tmp_path / "drops" / "business").iterdir()}
    assert not [n for n in earlier if "202508" in n] and "bien_dong_202507.csv" not in earlier
    build(Settings(tmp_path, 0.002, "2025-08-15", 81))
    names = {p.name for p in (tmp_path / "drops" / "business").iterdir()}
    assert "doanh_nghiep_20250814.csv" not in names
