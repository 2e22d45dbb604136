"""The injected defects: one table of rates, a plan per world table, and their application to rendered rows.

A record carries at most one defect. The plan is drawn over the whole world up to its horizon, so that a
record keeps its defect while the simulated day moves.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulator import mutations as m
from simulator.clock import START
from simulator.columns import Bools, Column, Ints, generator, mix
from simulator.layouts import Layout
from simulator.wire import SUBJECTS

HEADER = ("source", "table", "record_key", "field", "code", "detail")
EARLY = START + 150
"""The first defects of each kind go to records that exist by this day, so that every AS_OF shows them."""
CONFLICT, EXACT = "KEY_DUPLICATE_CONFLICT", "KEY_DUPLICATE_EXACT"


@dataclass(frozen=True)
class Spec:
    """One kind of defect in one field; rate is a share of the eligible rows."""

    source: str
    table: str
    field: str
    code: str
    rate: float
    mutation: m.Mutation


def _specs() -> tuple[Spec, ...]:
    table: dict[tuple[str, str], list[tuple[str, str, float, m.Mutation]]] = {
        ("population", "resident"): [
            ("personal_id", "ID_LEADING_ZERO_LOST", 0.002, m.strip_zero),
            ("personal_id", "ID_MALFORMED", 0.001, m.malformed_id),
            ("personal_id", "ID_SEX_MISMATCH", 0.001, m.sex_flipped),
            ("personal_id", "ID_BIRTH_YEAR_MISMATCH", 0.001, m.birth_moved),
            ("personal_id", "ID_DUPLICATE", 0.001, m.listed),
            ("surname", "NOT_NFC", 0.003, m.decomposed),
            ("surname", "LEGACY_LETTER", 0.01, m.legacy_letter),
            ("middle_name", "WHITESPACE", 0.002, m.spaced),
            ("birth_date", "DATE_MALFORMED", 0.001, m.bad_date),
            ("birth_date", "DATE_IMPRECISE", 0.003, m.imprecise),
            ("birth_year", "PLACEHOLDER_VALUE", 0.001, m.pick("Không rõ", "null", "0")),
            ("permanent_since", "DATE_IN_FUTURE", 0.001, m.in_future),
            ("permanent_commune", "CODE_UNKNOWN", 0.001, m.pick("99999", "00000", "80001")),
            ("permanent_commune", "CODE_SUPERSEDED", 0.02, m.listed),
            ("record_id", CONFLICT, 0.001, m.other_phone),
            ("record_id", "KEY_MISSING", 0.0005, m.empty),
        ],
        ("population", "event"): [
            ("record_id", "REFERENCE_MISSING", 0.002, m.pick("DC999999901", "DC999999902")),
            ("event_date", "DATE_MALFORMED", 0.002, m.bad_date),
            ("event_date", "DATE_IN_FUTURE", 0.001, m.in_future),
            ("registered_at", "DATE_ORDER", 0.002, m.years_earlier),
            ("to_commune", "CODE_UNKNOWN", 0.002, m.pick("99999", "00000")),
            ("event_type", "PLACEHOLDER_VALUE", 0.001, m.pick("0", "null", "Không rõ")),
            ("event_id", "KEY_MISSING", 0.0005, m.empty),
        ],
        ("procedures", "dossier"): [
            ("dossier_code", "DOSSIER_CODE_DATE", 0.001, m.code_date),
            ("dossier_code", "KEY_MISSING", 0.0005, m.empty),
            ("dossier_code", CONFLICT, 0.001, m.other_phone),
            ("procedure_code", "CODE_UNKNOWN", 0.002, m.pick("9.999999", "1.00119")),
            ("procedure_code", "PLACEHOLDER_VALUE", 0.001, m.pick("Không rõ", "null", "0")),
            ("agency_code", "CODE_UNKNOWN", 0.001, m.pick("H99.1", "000.00.00.H99")),
            ("applicant_id", "ID_LEADING_ZERO_LOST", 0.003, m.strip_zero),
            ("applicant_id", "ID_MALFORMED", 0.002, m.malformed_id),
            ("received_at", "DATE_MALFORMED", 0.001, m.bad_date),
            ("finished_at", "DATE_ORDER", 0.001, m.years_earlier),
            ("finished_at", "DATE_IN_FUTURE", 0.0005, m.in_future),
            ("applicant_name", "NOT_NFC", 0.003, m.decomposed),
            ("applicant_name", "LEGACY_LETTER", 0.01, m.legacy_letter),
            ("applicant_name", "WHITESPACE", 0.002, m.spaced),
        ],
        ("land", "parcel"): [
            ("dien_tich_phap_ly", "NUMBER_FORMAT", 0.002, m.unreadable),
            ("dien_tich", "AREA_MISMATCH", 0.003, m.listed),
            ("x_north", "AXES_SWAPPED", 0.002, m.axes_swapped),
            ("kinh_tuyen_truc", "MERIDIAN_MISMATCH", 0.001, m.meridian_swapped),
            ("x_north", "COORDINATES_MISSING", 0.002, m.no_point),
            ("x_north", "POINT_OUTSIDE_COMMUNE", 0.001, m.point_far_away),
            ("ranh_gioi", "GEOMETRY_AREA_MISMATCH", 0.005, m.ring_grown),
            ("ranh_gioi", "GEOMETRY_MALFORMED", 0.002, m.ring_cut_off),
            ("xa_id", "CODE_UNKNOWN", 0.001, m.pick("99999", "00000")),
            ("xa_id", "CODE_SUPERSEDED", 0.002, m.listed_once_recoded),
            ("thua_goc_id", "REFERENCE_MISSING", 0.02, m.pick("00000000-0000-4000-8000-000000000000")),
            ("thoi_diem_khoi_tao", "DATE_IN_FUTURE", 0.001, m.in_future),
            ("thoi_diem_ket_thuc", "DATE_ORDER", 0.02, m.pick("1975-04-30T00:00:00")),
            ("dia_chi", "NOT_NFC", 0.002, m.decomposed),
            ("dia_chi", "WHITESPACE", 0.002, m.spaced),
        ],
        ("land", "parcel_use"): [
            ("loai_dat", "CODE_SUPERSEDED", 0.005, m.pick(*m.SUPERSEDED_LAND)),
            ("loai_dat", "CODE_LABEL", 0.003, m.pick(*m.LAND_LABELS)),
            ("loai_dat", "CODE_UNKNOWN", 0.001, m.pick("XXX", "ZZ1")),
            ("loai_dat", "PLACEHOLDER_VALUE", 0.001, m.pick("null", "Không rõ", "0")),
            ("thua_dat_id", "REFERENCE_MISSING", 0.001, m.pick("00000000-0000-4000-8000-000000000001")),
            ("thoi_han", "DATE_MALFORMED", 0.005, m.bad_date),
            ("thoi_han", "DATE_EXCEL_SERIAL", 0.005, m.excel_serial),
        ],
        ("land", "land_right"): [
            ("so_dinh_danh", "ID_LEADING_ZERO_LOST", 0.004, m.strip_zero),
            ("so_dinh_danh", "ID_MALFORMED", 0.002, m.malformed_id),
            ("so_dinh_danh", "ID_BIRTH_YEAR_MISMATCH", 0.001, m.holder_birth_moved),
            ("so_dinh_danh", "TAX_CODE_CHECK_DIGIT", 0.005, m.check_digit),
            ("thua_dat_id", "REFERENCE_MISSING", 0.001, m.pick("00000000-0000-4000-8000-000000000002")),
            ("ngay_cap", "DATE_MALFORMED", 0.001, m.bad_date),
            ("ngay_cap", "DATE_IN_FUTURE", 0.001, m.in_future),
            ("ngay_cap", "DATE_EXCEL_SERIAL", 0.001, m.excel_serial),
            ("ten_chu", "NOT_NFC", 0.003, m.decomposed),
            ("ten_chu", "LEGACY_LETTER", 0.01, m.legacy_letter),
            ("ten_chu", "WHITESPACE", 0.002, m.spaced),
        ],
        ("business", "enterprise"): [
            ("enterprise_code", "TAX_CODE_CHECK_DIGIT", 0.002, m.check_digit),
            ("enterprise_name", "NOT_NFC", 0.003, m.decomposed),
            ("enterprise_name", "WHITESPACE", 0.003, m.spaced),
            ("founded_on", "DATE_EXCEL_SERIAL", 0.005, m.excel_serial),
            ("founded_on", "DATE_MALFORMED", 0.002, m.bad_date),
            ("amended_on", "DATE_ORDER", 0.002, m.pick("30/04/1990")),
            ("capital_vnd", "NUMBER_FORMAT", 0.003, m.pick("một tỷ đồng", "1.2.3,4,5", "#VALUE!")),
            ("main_industry", "CODE_LEADING_ZERO_LOST", 0.05, m.strip_zero),
            ("main_industry", "CODE_UNKNOWN", 0.002, m.pick("9999", "0000")),
            ("main_industry", "CODE_LABEL", 0.002, m.pick("Trồng lúa", "Xây dựng nhà để ở")),
            ("place_id", "CODE_UNKNOWN", 0.002, m.pick("99999", "1")),
            ("place_id", "CODE_SUPERSEDED", 0.02, m.listed),
            ("representative_id", "ID_LEADING_ZERO_LOST", 0.005, m.strip_zero),
            ("representative_id", "ID_MALFORMED", 0.002, m.malformed_id),
            ("enterprise_code", EXACT, 0.002, m.listed),
        ],
        ("business", "enterprise_event"): [
            ("enterprise_code", "REFERENCE_MISSING", 0.002, m.pick("1199999990", "3999999990")),
            ("event_date", "DATE_MALFORMED", 0.002, m.bad_date),
            ("event_date", "DATE_IN_FUTURE", 0.001, m.in_future),
            ("capital_vnd", "NUMBER_FORMAT", 0.002, m.pick("một tỷ đồng", "#VALUE!")),
            ("event_no", "KEY_MISSING", 0.001, m.empty),
            ("event_no", EXACT, 0.002, m.listed),
        ],
        ("business", "household_business"): [
            ("owner_id", "ID_LEADING_ZERO_LOST", 0.005, m.strip_zero),
            ("owner_id", "ID_MALFORMED", 0.002, m.malformed_id),
            ("closed_on", "DATE_ORDER", 0.01, m.pick("30/04/1990")),
            ("registered_on", "DATE_EXCEL_SERIAL", 0.003, m.excel_serial),
            ("main_industry", "CODE_LEADING_ZERO_LOST", 0.02, m.strip_zero),
            ("commune_code", "CODE_UNKNOWN", 0.001, m.pick("99999", "00000")),
            ("owner_name", "WHITESPACE", 0.002, m.spaced),
            ("registration_no", "KEY_MISSING", 0.0005, m.empty),
            ("registration_no", EXACT, 0.001, m.listed),
        ],
    }  # fmt: skip
    for subject in SUBJECTS:
        table |= subject.DEFECTS
    return tuple(Spec(source, name, *row) for (source, name), rows in table.items() for row in rows)


SPECS = _specs()
CODES = tuple(sorted({spec.code for spec in SPECS}))


def spec_number(table: str, field: str, code: str) -> int:
    """Position in SPECS of the one kind of defect."""
    return next(i for i, s in enumerate(SPECS) if (s.table, s.field, s.code) == (table, field, code))


def _minimum(code: str) -> int:
    return 1 if sum(s.code == code for s in SPECS) > 1 else 2


def plan(
    seed: int,
    layout: Layout,
    created: Ints,
    eligible: dict[tuple[str, str], Bools],
    blocked: Bools | None = None,
) -> NDArray[np.int16]:
    """Per row the position in SPECS of its defect, or -1.

    created: day the record appears; eligible: rows that a (field, code) can spoil, all where absent;
    blocked: rows that must stay sound.
    """
    out = np.full(len(created), -1, dtype=np.int16)
    free = np.ones(len(created), dtype=bool) if blocked is None else ~blocked
    for number, spec in enumerate(SPECS):
        if (spec.source, spec.table) != (layout.source, layout.table):
            continue
        mask = free & eligible.get((spec.field, spec.code), free)
        order = generator(seed, f"defect/{number}").permutation(np.flatnonzero(mask))
        least = _minimum(spec.code)
        early = order[created[order] <= EARLY][:least]
        count = max(least, round(spec.rate * len(order)))
        rest = order[~np.isin(order, early)]
        rows = np.concatenate([early, rest])[:count]
        out[rows] = number
        free[rows] = False
    return out


Found = list[tuple[str, str, str, str, str, str]]


def apply(
    layout: Layout,
    columns: dict[str, Column],
    which: NDArray[np.int16],
    variant: NDArray[np.int8],
    rows: Ints,
) -> tuple[dict[str, Column], Found]:
    """Spoil the planned rows of a rendered chunk; returns the columns and the list of what was done.

    variant: 0 the record itself, 1 the older of two conflicting deliveries, 2 an exact copy.
    """
    at = np.flatnonzero(which >= 0)
    if not len(at):
        return columns, []
    table = pa.table(columns).take(pa.array(at)).to_pylist()
    patches: dict[str, dict[int, str | None]] = {}
    found: Found = []
    for position, row, salt in zip(at.tolist(), table, mix(rows[at], 77).tolist(), strict=True):
        spec = SPECS[which[position]]
        if variant[position] != {CONFLICT: 1, EXACT: 2}.get(spec.code, 0):
            continue
        change = spec.mutation(row, spec.field, salt)
        if change is None:
            continue
        for name, value in change.items():
            patches.setdefault(name, {})[position] = value
        key = "|".join({**row, **change}[k] or "" for k in layout.key)
        found.append((layout.source, layout.table, key, spec.field, spec.code, ", ".join(sorted(change))))
    patched = {name: _patched(columns[name], values) for name, values in patches.items()}
    return {**columns, **patched}, found


def _patched(column: Column, values: dict[int, str | None]) -> Column:
    mask = np.zeros(len(column), dtype=bool)
    mask[list(values)] = True
    ordered = [values[position] for position in sorted(values)]
    return pc.replace_with_mask(column, pa.array(mask), pa.array(ordered, type=pa.string()))


def write(path: Path, found: Found) -> None:
    """Write the list of defects as CSV."""
    partial = path.with_suffix(".part")
    with partial.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(sorted(found))
    partial.rename(path)
