"""Births, deaths and marriages as the justice offices registered them: the same lives as in the register of residents.

The two systems do not agree to the last record, and that is meant: one birth or death in eighty was registered elsewhere,
one in two hundred with a number that the register does not have, one in a hundred with the day before. Marriages: 5.4 per
1,000 people and year, of residents between 20 and 40.
"""

import numpy as np

from simulator import columns as c
from simulator import defects
from simulator.clock import HORIZON, START
from simulator.columns import NEVER, Bools, Column, Floats, Ints
from simulator.delivery import Table
from simulator.units import Units
from simulator.wire.civil import REGISTRATION
from simulator.world.listing import Listing
from simulator.world.people import YEARS, People

TYPES = ("KS", "KT", "KH")
MARRIAGES = 0.0054
ELSEWHERE, UNKNOWN_NUMBER, OTHER_DAY = 80, 200, 100
"""One record in so many."""


def _marriages(seed: int, p: People) -> tuple[Ints, Ints, Ints]:
    """(day, husband, wife) of every marriage: residents of the first day who stay, each once."""
    rng = c.generator(seed, "civil")
    age = (START - p.birth) / 365.25
    stays = (p.created == 0) & (p.death == NEVER) & (p.departure == NEVER) & (age > 20) & (age < 40)
    count = round(p.base * MARRIAGES * YEARS)
    men, women = (rng.permutation(np.flatnonzero(stays & (p.sex == sex)))[:count] for sex in (1, 2))
    count = min(len(men), len(women))
    day = np.sort(rng.integers(START, HORIZON - 5, count))
    return day, men[:count], women[:count]


def tables(seed: int, units: Units, p: People) -> list[Table]:
    """Every registration up to the horizon, in the order of its day."""
    birth = np.flatnonzero((p.created > 0) & (p.relation != 0))
    death = np.flatnonzero(p.death < NEVER)
    day, husband, wife = _marriages(seed, p)
    kind = np.repeat(np.arange(3), [len(birth), len(death), len(husband)])
    person = np.concatenate([birth, death, husband])
    spouse = np.concatenate([np.full(len(birth) + len(death), -1), wife])
    happened = np.concatenate([p.birth[birth], p.death[death], day])
    created = np.concatenate([p.created[birth], p.death_reg[death], day])
    there = (c.mix(person, 41) % ELSEWHERE > 0) & (created <= HORIZON)
    order = np.flatnonzero(there)[np.argsort(created[there], kind="stable")]
    kind, person, spouse, happened, created = (one[order] for one in (kind, person, spouse, happened, created))
    cell, u = _place(p, person, created)
    happened = happened - ((kind < 2) & (c.mix(person, 42) % OTHER_DAY == 0))
    plan = defects.plan(seed, REGISTRATION, created, {("person_id", "ID_LEADING_ZERO_LOST"): kind < 2})

    def render(rows: Ints, as_of: int) -> dict[str, Column]:
        who, other, types = person[rows], spouse[rows], kind[rows]
        married = types == 2
        strange = c.join("0809", c.digits(c.mix(who, 43), 8))
        wives = np.maximum(other, 0)
        number = c.choose((c.mix(who, 44) % UNKNOWN_NUMBER == 0) & ~married, strange, p.resident_number(who))
        return {
            "registration_no": c.join(c.take(TYPES, types), "-", c.digits(rows + 1, 8)),
            "event_type": c.take(TYPES, types),
            "registered_on": c.date_text(created[rows]),
            "event_date": c.date_text(happened[rows]),
            "commune_code": units.text("code", units.resolve(cell[rows], u[rows], created[rows])),
            "person_id": number,
            "full_name": p.full_name(who),
            "sex_code": c.plain(p.sex[who]),
            "spouse_id": c.blank(p.resident_number(wives), ~married),
            "spouse_name": c.blank(p.full_name(wives), ~married),
        }

    return [Listing(REGISTRATION, created, plan, render)]


def _place(p: People, person: Ints, day: Ints) -> tuple[Ints, Floats]:
    """Where each lived on the day."""
    moved: Bools = p.move[person] <= day
    return np.where(moved, p.move_cell[person], p.cell[person]), np.where(moved, p.move_u[person], p.u[person])
