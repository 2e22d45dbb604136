"""The injected defects: each kind there, one per record, and everything else sound."""

import re
import unicodedata
from collections import Counter

import numpy as np
from simulator_home import Built, Row, delivered

from simulator.build import World
from simulator.defects import CODES, SPECS
from simulator.world.business import TAX_WEIGHTS, tax_codes

Listed = list[dict[str, str]]


def test_every_code_at_least_twice(listed: Listed) -> None:
    found = Counter(d["code"] for d in listed)
    assert set(found) == set(CODES)
    assert not [code for code, count in found.items() if count < 2]


def test_codes_are_the_fixed_vocabulary() -> None:
    assert set(VOCABULARY) == set(CODES)


VOCABULARY = [
    "ID_LEADING_ZERO_LOST",
    "ID_MALFORMED",
    "ID_SEX_MISMATCH",
    "ID_BIRTH_YEAR_MISMATCH",
    "ID_DUPLICATE",
    "NOT_NFC",
    "LEGACY_LETTER",
    "WHITESPACE",
    "DATE_MALFORMED",
    "DATE_IMPRECISE",
    "DATE_IN_FUTURE",
    "DATE_EXCEL_SERIAL",
    "DATE_ORDER",
    "CODE_UNKNOWN",
    "CODE_SUPERSEDED",
    "CODE_LABEL",
    "CODE_LEADING_ZERO_LOST",
    "NUMBER_FORMAT",
    "AREA_MISMATCH",
    "AXES_SWAPPED",
    "MERIDIAN_MISMATCH",
    "COORDINATES_MISSING",
    "POINT_OUTSIDE_COMMUNE",
    "GEOMETRY_AREA_MISMATCH",
    "GEOMETRY_MALFORMED",
    "TAX_CODE_CHECK_DIGIT",
    "REFERENCE_MISSING",
    "PLACEHOLDER_VALUE",
    "SUM_MISMATCH",
    "DOSSIER_CODE_DATE",
    "KEY_MISSING",
    "KEY_DUPLICATE_CONFLICT",
    "KEY_DUPLICATE_EXACT",
]


def test_one_defect_per_record(listed: Listed) -> None:
    keys = Counter((d["source"], d["table"], d["record_key"]) for d in listed if d["record_key"])
    assert [key for key, count in keys.items() if count > 1] == []


def test_defects_name_known_fields(listed: Listed) -> None:
    known = {(s.source, s.table, s.field, s.code) for s in SPECS}
    assert {(d["source"], d["table"], d["field"], d["code"]) for d in listed} <= known


def test_a_defect_stays_when_the_day_moves(make, built: Built) -> None:  # type: ignore[no-untyped-def]
    earlier = {tuple(d.values()) for d in make("2025-06-30", 0.01, 80).defects() if d["table"] != "dossier"}
    later = {tuple(d.values()) for d in built.defects()}
    assert len(earlier - later) <= 0.01 * len(earlier)


def sound(listed: Listed, rows: list[Row], table: str, key: str) -> list[Row]:
    spoiled = {d["record_key"] for d in listed if d["table"] == table}
    return [r for r in rows if r[key] and r[key] not in spoiled]


def test_sound_residents_have_valid_numbers_and_names(listed: Listed, world: World) -> None:
    rows = delivered(world.streamed[0])
    good = sound(listed, rows, "resident", "record_id")
    assert len(good) > 0.97 * len(rows)
    for r in good:
        number, year = str(r["personal_id"]), int(str(r["birth_year"]))
        assert re.fullmatch("[0-9]{12}", number)
        assert int(number[3]) == (year // 100 - 19) * 2 + (r["sex_code"] == "2")
        assert int(number[4:6]) == year % 100
        assert re.fullmatch(r"\d\d/\d\d/\d{4}", str(r["birth_date"])) and str(r["birth_date"])[:5] != "01/01"
        text = f"{r['surname']} {r['middle_name']} {r['given_name']} {r['permanent_detail']}"
        assert unicodedata.is_normalized("NFC", text) and "\u00d0" not in text and "  " not in text
    assert len({r["personal_id"] for r in good}) == len(good)


def test_sound_residents_live_in_the_vintage_of_their_registration(listed: Listed, world: World) -> None:
    for r in sound(listed, delivered(world.streamed[0]), "resident", "record_id"):
        day = "".join(reversed(str(r["permanent_since"]).split("/")))
        assert (r["permanent_district"] == "0") == (day >= "20250701")
        assert r["current_district"] in ("0", None)


def _valid_tax_code(code: str) -> bool:
    rest = int((np.array([int(x) for x in code[:9]]) * TAX_WEIGHTS).sum() % 11)
    return rest != 0 and int(code[9]) == 10 - rest


def test_tax_codes() -> None:
    assert all(_valid_tax_code(code) for code in ("0100109106", "0101248141", "1100000012", "3900000015"))
    codes = tax_codes("11", 5_000).tolist()
    assert len(set(codes)) == 5_000 and all(_valid_tax_code(str(code)) for code in codes)


def test_sound_enterprises(listed: Listed, world: World) -> None:
    rows = delivered(world.enterprise)
    for r in sound(listed, rows, "enterprise", "enterprise_code"):
        assert _valid_tax_code(str(r["enterprise_code"]))
        assert re.fullmatch(r"\d{1,3}(\.\d{3})*", str(r["capital_vnd"]))
        assert re.fullmatch(r"\d{4}", str(r["main_industry"]))
    codes = {r["enterprise_code"] for r in rows}
    events = sound(listed, delivered(world.enterprise_event), "enterprise_event", "event_no")
    assert all(e["enterprise_code"] in codes for e in events)


def test_sound_parcels_add_up_and_lie_in_their_zone(listed: Listed, world: World) -> None:
    parcels, uses, rights = (delivered(t) for t in world.land)
    good = sound(listed, parcels, "parcel", "thua_dat_id")
    spoiled_uses = {d["record_key"] for d in listed if d["table"] == "parcel_use"}
    total: dict[str, float] = {}
    for use in uses:
        if use["muc_dich_id"] not in spoiled_uses:
            total[str(use["thua_dat_id"])] = total.get(str(use["thua_dat_id"]), 0) + float(str(use["dien_tich"]))
    for p in good:
        key, area = str(p["thua_dat_id"]), float(str(p["dien_tich"]))
        assert key not in total or area == 0 or abs(total[key] - area) <= 0.01 * area or _has_spoiled(uses, key)
        assert 1_140_000 < float(str(p["x_north"])) < 1_305_000
        assert 470_000 < float(str(p["y_east"])) < 640_000
        assert str(p["thoi_diem_khoi_tao"]) <= str(p["thoi_diem_cap_nhat"])
    known = {p["thua_dat_id"] for p in parcels}
    assert all(r["thua_dat_id"] in known for r in sound(listed, rights, "land_right", "quyen_id"))


def _has_spoiled(uses: list[Row], key: str) -> bool:
    return sum(u["thua_dat_id"] == key for u in uses) > 1


def test_area_mismatches_are_real(listed: Listed, world: World) -> None:
    wrong = {d["record_key"] for d in listed if d["code"] == "AREA_MISMATCH"}
    areas = {p["thua_dat_id"]: float(str(p["dien_tich"])) for p in delivered(world.land[0])}
    sums: Counter[str] = Counter()
    for use in delivered(world.land[1]):
        if use["thua_dat_id"] in wrong:
            sums[str(use["thua_dat_id"])] += float(str(use["dien_tich"]))  # type: ignore[assignment]
    assert wrong and all(abs(sums[k] - areas[k]) > 0.01 * areas[k] for k in wrong)


def test_listed_defects_are_in_the_delivery(listed: Listed, world: World) -> None:
    residents = {r["record_id"]: r for r in delivered(world.streamed[0])}
    checks = {
        "ID_LEADING_ZERO_LOST": lambda r: len(r["personal_id"]) == 11,
        "ID_SEX_MISMATCH": lambda r: (int(r["personal_id"][3]) % 2 == 1) != (r["sex_code"] == "2"),
        "NOT_NFC": lambda r: not unicodedata.is_normalized("NFC", r["surname"]),
        "LEGACY_LETTER": lambda r: "\u00d0" in r["surname"],
        "DATE_IN_FUTURE": lambda r: r["permanent_since"].endswith("2035"),
        "CODE_SUPERSEDED": lambda r: r["permanent_district"] != "0",
    }
    checked = [d for d in listed if d["table"] == "resident" and d["code"] in checks]
    assert checked and all(checks[d["code"]](residents[d["record_key"]]) for d in checked)
    numbers = Counter(r["personal_id"] for r in residents.values())
    doubled = [d["record_key"] for d in listed if d["code"] == "ID_DUPLICATE"]
    assert doubled and all(numbers[residents[k]["personal_id"]] > 1 for k in doubled)


def test_sound_dossiers_keep_their_clocks(listed: Listed, world: World) -> None:
    rows = delivered(world.streamed[2])
    good = sound(listed, rows, "dossier", "dossier_code")
    assert len({r["dossier_code"] for r in good}) == len(good) > 0.95 * len(rows)
    for r in good:
        if r["received_at"] is None:
            assert r["status_code"] in ("1", "3")
            continue
        day = str(r["dossier_code"]).split("-")[1]
        assert str(r["received_at"])[:8].endswith(day)
        assert str(r["submitted_at"]) <= str(r["received_at"]) <= str(r["due_at"])
        assert r["finished_at"] is None or r["received_at"] <= r["finished_at"]
        assert r["returned_at"] is None or str(r["finished_at"]) <= r["returned_at"]
        assert (r["status_code"] in ("7", "8", "9", "10")) == (r["finished_at"] is not None)
        assert (r["status_code"] == "10") == (r["returned_at"] is not None)
