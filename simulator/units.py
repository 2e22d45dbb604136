"""Administrative units in three vintages and the place of anything as (cell, u).

A cell is one of the communes of the oldest vintage; u in [0, 1) says where inside it. A place never
moves; only the unit it belongs to changes with the day, and a split cell goes to its parts by u.
"""

import csv
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulator import province as provinces
from simulator.clock import DATA, REFORM, SPLIT_2024
from simulator.columns import Column, Floats, Ints, take, texts, weighted
from simulator.province import Province

MAIN_SHARE = 0.6
"""Share of a split commune that goes to its main part where the resolution gives no figure."""


@dataclass(frozen=True)
class Units:
    """Communes of all vintages: first the cells, then the present ones. part: position in province.parts per cell."""

    of: Province
    code: list[str]
    name: list[str]
    kind: list[str]
    district: list[str]
    district_name: list[str]
    province: list[str]
    latitude: Floats
    longitude: Floats
    cells: int
    part: Ints
    population: Floats
    parts_2024: NDArray[np.int64]
    edges_2024: Floats
    parts_2025: NDArray[np.int64]
    edges_2025: Floats
    columns: dict[str, Column]

    def resolve(self, cell: Ints, u: Floats, day: Ints) -> Ints:
        """Index of the unit in force on the day; day and cell broadcast."""
        middle = _pick(self.parts_2024, self.edges_2024, cell, u)
        last = _pick(self.parts_2025, self.edges_2025, middle, u)
        return np.where(day >= REFORM, last, np.where(day >= SPLIT_2024, middle, cell))

    def cells_by_part(self, rng: np.random.Generator, part: Ints, weight: Floats) -> Ints:
        """A cell of each part, by weight per cell."""
        drawn = [weighted(rng, weight * (self.part == number), len(part)) for number in range(len(self.of.parts))]
        out: Ints = np.choose(part, drawn)
        return out

    def text(self, field: str, unit: Ints) -> Column:
        """A field of the units as a column: code, name, district, district_name, province."""
        return take(self.columns[field], unit)


def _pick(parts: NDArray[np.int64], edges: Floats, cell: Ints, u: Floats) -> Ints:
    out: Ints = parts[cell, (u[:, None] >= edges[cell]).sum(axis=1)]
    return out


def read(name: str) -> list[dict[str, str]]:
    """Rows of a reviewed CSV file in simulator/data that holds for every province."""
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def unit_rows(as_of: str, province: Province) -> list[dict[str, str]]:
    """The code list as known on the day: nothing of the future, ends only once they have come."""
    rows = [row for row in province.rows("units.csv") if row["tu_ngay"] <= as_of]
    return [{**row, "den_ngay": row["den_ngay"] if row["den_ngay"] < as_of else ""} for row in rows]


def change_rows(as_of: str, province: Province) -> list[dict[str, str]]:
    """The changes in force on the day."""
    return [row for row in province.rows("unit_change.csv") if row["ngay_hieu_luc"] <= as_of]


def _shares(rows: list[dict[str, str]]) -> list[float]:
    if all(row["dan_so"] for row in rows):
        total = sum(int(row["dan_so"]) for row in rows)
        return [int(row["dan_so"]) / total for row in rows]
    others = len(rows) - 1
    return [MAIN_SHARE if r["phan_chinh"] == "true" else (1 - MAIN_SHARE) / others for r in rows]


def _parts(
    day: str, changes: list[dict[str, str]], cells: dict[str, int], targets: dict[str, int]
) -> tuple[NDArray[np.int64], Floats]:
    count = len(cells)
    parts = np.tile(np.arange(count, dtype=np.int64)[:, None], (1, 3))
    edges = np.full((count, 2), 2.0)
    by_old: dict[str, list[dict[str, str]]] = {}
    for row in changes:
        if row["ngay_hieu_luc"] == day:
            by_old.setdefault(row["ma_cu"], []).append(row)
    for old, rows in by_old.items():
        shares = _shares(rows) if len(rows) > 1 else [1.0]
        for position, row in enumerate(rows):
            parts[cells[old], position] = targets[row["ma_moi"]]
        edges[cells[old], : len(rows) - 1] = np.cumsum(shares)[:-1]
    return parts, edges


def _populations(province: Province, legacy: list[dict[str, str]]) -> Floats:
    """Plausible people per cell: the district's share spread with a fixed factor per code, towns denser."""
    weights = {row["ma_huyen"]: float(row["dan_so"]) for row in province.rows("district_weights.csv")}
    raw = np.array([(0.6 + (int(r["ma"]) * 7919 % 101) / 125) * (1.0 if r["loai"] == "Xã" else 1.3) for r in legacy])
    changes = [r for r in province.rows("unit_change.csv") if r["dan_so"]]
    stated = {
        old: float(sum(int(r["dan_so"]) for r in changes if r["ma_cu"] == old)) for old in {r["ma"] for r in legacy}
    }
    out = np.zeros(len(legacy))
    for district, total in weights.items():
        members = [i for i, r in enumerate(legacy) if r["ma_cha"] == district]
        fixed = [i for i in members if stated[legacy[i]["ma"]]]
        free = [i for i in members if i not in fixed]
        out[fixed] = [stated[legacy[i]["ma"]] for i in fixed]
        out[free] = raw[free] / raw[free].sum() * (total - out[fixed].sum())
    return out


@lru_cache(maxsize=1)
def load(code: str = provinces.DEFAULT) -> Units:
    """The units of a province from its reviewed CSV files."""
    province = provinces.load(code)
    listed, changes = province.rows("units.csv"), province.rows("unit_change.csv")
    communes = [r for r in listed if r["cap"] == "XA"]
    legacy = sorted((r for r in communes if r["tu_ngay"] < "2025-07-01"), key=lambda r: r["ma"])
    present = sorted((r for r in communes if r["tu_ngay"] >= "2025-07-01"), key=lambda r: r["ma"])
    rows = legacy + present
    district_names = {r["ma"]: r["ten"] for r in listed if r["cap"] == "HUYEN"}
    cells = {r["ma"]: i for i, r in enumerate(legacy)}
    targets = {r["ma"]: len(legacy) + i for i, r in enumerate(present)}
    parts_2024, edges_2024 = _parts("2024-12-01", changes, cells, cells)
    parts_2025, edges_2025 = _parts("2025-07-01", changes, cells, targets)
    district = [r["ma_cha"] if r in legacy else "0" for r in rows]
    values = {
        "code": [r["ma"] for r in rows],
        "name": [r["ten"] for r in rows],
        "kind": [r["loai"] for r in rows],
        "district": district,
        "district_name": [district_names.get(d, "") for d in district],
        "province": [r["ma_tinh"] for r in rows],
    }
    position = {part.code: number for number, part in enumerate(province.parts)}
    return Units(
        of=province,
        **values,
        latitude=np.array([float(r["vi_do"]) for r in rows]),
        longitude=np.array([float(r["kinh_do"]) for r in rows]),
        cells=len(legacy),
        part=np.array([position[r["ma_tinh"]] for r in legacy]),
        population=_populations(province, legacy),
        parts_2024=parts_2024,
        edges_2024=edges_2024,
        parts_2025=parts_2025,
        edges_2025=edges_2025,
        columns={field: texts(column) for field, column in values.items()},
    )
