"""Who is insured, by commune and month. Nobody is counted here: shares of the people of a commune, chosen by us.

Health cards rise from 90 to 95 in a hundred people; one in seven pays compulsory insurance, one in eighty voluntary. The
office divides by the statistics office's people, who are fewer than those of the register.
"""

import numpy as np

from simulator import columns as c
from simulator import defects
from simulator.clock import HORIZON, START, month_start
from simulator.columns import Column, Floats, Ints
from simulator.delivery import Table
from simulator.units import Units
from simulator.wire.insurance import COMMUNE_MONTH
from simulator.world.listing import Listing

FIRST = START
SLICES = 10
"""Pieces into which a cell is cut to find the present communes of a divided one."""
GROWTH = 0.0115
SENT_ON = 5
"""Days after the end of the month."""
CARD_SHARES = (0.24, 0.09, 0.17, 0.24, 0.26)
"""Of the five groups of Article 12, Luật Bảo hiểm y tế: employment, insurance fund, budget, supported, household."""
COMPULSORY, VOLUNTARY, UNEMPLOYMENT = 0.142, 0.012, 0.128
STATISTICS_OFFICE = 0.955
CARDS = ("cards_employment", "cards_fund", "cards_budget", "cards_supported", "cards_household")


def people_of_communes(units: Units, scale: float, day: int) -> tuple[Ints, Floats]:
    """(unit, people) of every commune in force on the day."""
    cell = np.repeat(np.arange(units.cells), SLICES)
    u = np.tile((np.arange(SLICES) + 0.5) / SLICES, units.cells)
    years = (day - START) / 365.25
    people = units.population[cell] / SLICES * scale * (1 + GROWTH * years)
    found = np.zeros(len(units.code))
    np.add.at(found, units.resolve(cell, u, np.full(len(cell), day)), people)
    unit: Ints = np.flatnonzero(found).astype(np.int64)
    return unit, found[unit]


def tables(seed: int, scale: float, units: Units) -> list[Table]:
    """The form of every month, up to the horizon."""
    ends, months = [], month_start(FIRST)
    while months <= HORIZON:
        months = month_start(months + 31)
        ends.append(months - 1)
    parts = [people_of_communes(units, scale, end) for end in ends]
    unit = np.concatenate([one for one, _ in parts])
    people = np.concatenate([one for _, one in parts])
    end = np.repeat(ends, [len(one) for one, _ in parts])
    created = end + SENT_ON
    plan = defects.plan(seed, COMMUNE_MONTH, created, {})
    columns = _columns(unit, people, end)

    def render(rows: Ints, as_of: int) -> dict[str, Column]:
        at = unit[rows]
        month = c.date_text(end[rows], "%m/%Y")
        named = {"month": month, "commune_code": units.text("code", at), "commune_name": units.text("name", at)}
        key = c.join("BH", c.date_text(end[rows], "%Y%m"), "-", named["commune_code"])
        return {"record_no": key, **named, **{name: c.thousands(values[rows]) for name, values in columns.items()}}

    return [Listing(COMMUNE_MONTH, created, plan, render)]


def _columns(unit: Ints, people: Floats, end: Ints) -> dict[str, Ints]:
    """Counts of each column. A commune keeps its own bent: a fixed factor by its position in the list."""
    own = 0.97 + c.mix(unit, 31) % 1_000 / 1_000 * 0.05
    share = (0.90 + (end - FIRST) / 365.25 * 0.02) * own
    cards = {
        name: np.rint(people * share * part).astype(np.int64) for name, part in zip(CARDS, CARD_SHARES, strict=True)
    }
    working = 0.7 + c.mix(unit, 32) % 1_000 / 1_000 * 0.6
    return {
        "compulsory": np.rint(people * COMPULSORY * working).astype(np.int64),
        "voluntary": np.rint(people * VOLUNTARY * own).astype(np.int64),
        "unemployment": np.rint(people * UNEMPLOYMENT * working).astype(np.int64),
        **cards,
        "cards_total": np.sum(list(cards.values()), axis=0),
        "population": np.rint(people * STATISTICS_OFFICE).astype(np.int64),
    }
