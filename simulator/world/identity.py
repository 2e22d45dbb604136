"""Accounts of electronic identity by commune, closed on the 27th of each month; not scaled.

Calibration: xã Thạnh Xuân of Hậu Giang, 9,636 accounts of level 2 on 27/12/2023, of 11,183 people who may have one.
"""

import numpy as np

from simulator import columns as c
from simulator import defects
from simulator.clock import HORIZON, START, month_start
from simulator.columns import Column, Ints
from simulator.delivery import Table
from simulator.units import Units
from simulator.wire.identity import REPORT

CLOSING_DAY = 27
OLD_ENOUGH = 0.77
PIECES = 40
"""Positions in a cell at which people are looked for; they divide a commune that the reform divides."""
PRINTED = {("93", "Xã Thạnh Xuân", c.day_number("2023-12-27")): (11_183, 9_636)}


class ReportTable:
    """One row per commune that there was and month."""

    layout = REPORT

    def __init__(self, seed: int, units: Units) -> None:
        self.units = units
        cell = np.repeat(np.arange(units.cells), PIECES)
        u = (np.tile(np.arange(PIECES), units.cells) + 0.5) / PIECES
        people = units.population[cell] / PIECES * OLD_ENOUGH
        days, unit, eligible = [], [], []
        first = START
        while first <= HORIZON:
            day = first + CLOSING_DAY - 1
            counted = np.bincount(
                units.resolve(cell, u, np.full(len(cell), day)), weights=people, minlength=len(units.code)
            )
            there = np.flatnonzero(counted)
            unit.append(there)
            days.append(np.full(len(there), day))
            eligible.append(np.rint(counted[there] * (1 + 0.004 * (day - START) / 365.25)).astype(np.int64))
            first = month_start(first + 31)
        self.created, self.unit, self.eligible = np.concatenate(days), np.concatenate(unit), np.concatenate(eligible)
        keen = 0.06 * (c.mix(self.unit, 101) % 1_000 / 1_000 - 0.5)
        share = np.clip(0.95 - 0.33 * np.exp(-(self.created - START) / 420) + keen, 0, 0.99)
        self.level_2 = np.rint(self.eligible * share).astype(np.int64)
        self.level_1 = np.rint((self.eligible - self.level_2) * 0.4).astype(np.int64)
        self.plan = defects.plan(seed, REPORT, self.created, {}, self._as_printed())

    def _as_printed(self) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Puts in the figures that were printed; true for the rows that have them."""
        printed = np.zeros(len(self.unit), dtype=bool)
        for (province, name, day), (eligible, level_2) in PRINTED.items():
            for number in range(self.units.cells):
                if (self.units.province[number], self.units.name[number]) == (province, name):
                    row = (self.unit == number) & (self.created == day)
                    self.eligible[row], self.level_2[row], self.level_1[row] = eligible, level_2, eligible - level_2
                    printed |= row
        return printed

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """The closing day."""
        return c.at(self.created[rows], np.zeros(len(rows), dtype=np.int64))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows."""
        return {
            "commune_code": self.units.text("code", self.unit[rows]),
            "commune_name": self.units.text("name", self.unit[rows]),
            "reported_on": c.date_text(self.created[rows]),
            "eligible": c.thousands(self.eligible[rows]),
            "level_1": c.thousands(self.level_1[rows]),
            "level_2": c.thousands(self.level_2[rows]),
        }


def tables(seed: int, units: Units) -> list[Table]:
    """What the police report."""
    return [ReportTable(seed, units)]
