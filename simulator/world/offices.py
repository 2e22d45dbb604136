"""Who sits where: the agency of a department, a district or a commune as it is on any day."""

from dataclasses import dataclass

import numpy as np

from simulator import columns as c
from simulator.clock import MERGER, REFORM
from simulator.columns import Column, Floats, Ints
from simulator.units import Units
from simulator.world.procedures import DEPARTMENTS, Agencies

DEPARTMENT, DISTRICT, COMMUNE = 0, 1, 2


@dataclass(frozen=True)
class Desks:
    """Desks of offices. level: DEPARTMENT, DISTRICT or COMMUNE; part: that of the province; cell, u: where it stands."""

    level: Ints
    part: Ints
    department: Ints
    cell: Ints
    u: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, units: Units, part: Ints, level: Ints) -> "Desks":
        """A department at random, or the district or commune of a place where people live."""
        n = len(part)
        department = rng.integers(1, len(DEPARTMENTS) + 1, n)
        return cls(level, part, department, units.cells_by_part(rng, part, units.population), rng.random(n))

    def agency(self, units: Units, offices: Agencies, rows: Ints, day: Ints) -> Ints:
        """Position of the agency on a day. From 1/7/2025 there is no district: its desks are those of communes."""
        cell, level = self.cell[rows], self.level[rows]
        side = np.where(day >= REFORM, len(units.of.parts), self.part[rows])
        department = offices.department[side, (day >= MERGER).astype(np.int64), self.department[rows]]
        commune = offices.commune[units.resolve(cell, self.u[rows], day)]
        district = np.where(day >= REFORM, commune, offices.district[cell])
        return np.where(level == DEPARTMENT, department, np.where(level == DISTRICT, district, commune))


def old_form(code: str) -> str:
    """H39.31.2 as it was written under QCVN 102:2016: 000.02.31.H39."""
    province, unit, part = [*code.split("."), "0", "0"][:3]
    return f"000.{int(part):02d}.{int(unit):02d}.{province}"


def codes(offices: Agencies) -> tuple[Column, Column]:
    """The codes of all agencies in the present form and in the former one."""
    written = [str(row["agency_code"]) for row in offices.rows]
    return c.texts(written), c.texts([old_form(code) for code in written])
