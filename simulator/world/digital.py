"""Community digital teams and digital-technology enterprises. Not scaled.

Of Long An as it was told: 998 teams with 5,485 members in every one of its communes, and 447 enterprises, on 6/11/2024. Of
other provinces as many per head. Whose teams and enterprises they are after the reform is told by their first commune.
"""

import numpy as np

from simulator import columns as c
from simulator import defects, names
from simulator.clock import HORIZON
from simulator.columns import NEVER, Column, Ints
from simulator.delivery import Table
from simulator.units import Units
from simulator.wire.digital import ENTERPRISE, TEAM
from simulator.world.business import tax_codes
from simulator.world.listing import Listing
from simulator.world.residents import phones

COUNTED = c.day_number("2024-11-06")
TEAMS, MEMBERS, ENTERPRISES = 998, 5_485, 447
"""Of the first part on that day; of others in proportion to their people."""
FOUNDED = (c.day_number("2022-03-01"), c.day_number("2024-10-01"))
LISTED = (c.day_number("2019-01-01"), c.day_number("2024-11-01"))
LATER_TEAMS, LATER_ENTERPRISES = 0.02, 0.16
"""Shares that came after the count, up to the horizon."""
ACTIVITIES = ("PHANPHOI", "DICHVU", "PHANMEM", "NOIDUNG", "PHANCUNG")
ACTIVITY_WEIGHTS = (62, 22, 9, 4, 3)
SERIAL = 1_400_000
"""Tax codes far above those of the registry: no code stands for two firms."""


def _per_part(units: Units, count: int) -> list[int]:
    """So many of the first part, of others in proportion to their people."""
    first = units.of.parts[0].population
    return [round(count * part.population / first) for part in units.of.parts]


def _cells(rng: np.random.Generator, units: Units, part: int, count: int, each: bool) -> Ints:
    """A cell for each: by people, and with `each` first one for every cell of the part."""
    own = np.flatnonzero(units.part == part)
    first = own[: count if each else 0]
    drawn = own[c.weighted(rng, units.population[own], count - len(first))]
    out: Ints = np.concatenate([first, drawn])
    return out


def teams(seed: int, units: Units) -> Table:
    """Teams by the day on which they were founded."""
    rng = c.generator(seed, "digital teams")
    cell, created, members = [], [], []
    for part, (count, people) in enumerate(zip(_per_part(units, TEAMS), _per_part(units, MEMBERS), strict=True)):
        later = round(count * LATER_TEAMS)
        cell.append(_cells(rng, units, part, count + later, each=True))
        days = rng.integers(FOUNDED[0], FOUNDED[1], count), rng.integers(COUNTED + 1, HORIZON, later)
        created.append(np.concatenate(days))
        members.append(np.concatenate([_shared_out(rng, people, count), rng.integers(4, 8, later)]))
    cells, founded, size = (np.concatenate(one) for one in (cell, created, members))
    order = np.argsort(founded, kind="stable")
    cells, founded, size = cells[order], founded[order], size[order]
    listed = names.load()
    number = np.arange(len(cells))
    plan = defects.plan(seed, TEAM, founded, {}, (units.part[cells] == 0) & (founded <= COUNTED))

    def render(rows: Ints, as_of: int) -> dict[str, Column]:
        place = units.resolve(cells[rows], c.mix(rows, 51) % 1_000 / 1_000, founded[rows])
        hamlet = c.join("Ấp ", c.plain(1 + c.mix(rows, 52) % 9))
        person = (c.mix(rows, salt) for salt in (53, 54, 55))
        surname, middle, given = (
            one % len(of) for one, of in zip(person, (listed.surname, listed.middle, listed.given), strict=True)
        )
        return {
            "team_no": c.join("TCNS", c.digits(number[rows] + 1, 5)),
            "team_name": c.join("Tổ công nghệ số cộng đồng ", hamlet),
            "commune_code": units.text("code", place),
            "hamlet": hamlet,
            "founded_on": c.date_text(founded[rows]),
            "ended_on": c.constant(None, len(rows)),
            "members": c.plain(size[rows]),
            "leader_name": names.full_name(surname, middle, given),
            "phone": phones(c.mix(rows, 56)),
        }

    return Listing(TEAM, founded, plan, render)


def _shared_out(rng: np.random.Generator, people: int, teams_: int) -> Ints:
    """People shared out among teams, three at least in each."""
    out: Ints = 3 + np.bincount(rng.integers(0, teams_, people - 3 * teams_), minlength=teams_)
    return out


def enterprises(seed: int, units: Units) -> Table:
    """Enterprises by the day on which the department entered them; one in eight ends some day."""
    rng = c.generator(seed, "digital enterprises")
    cell, listed, code, ended = [], [], [], []
    for part, count in enumerate(_per_part(units, ENTERPRISES)):
        gone, later = count // 8, round(count * LATER_ENTERPRISES)
        n = count + gone + later
        cell.append(_cells(rng, units, part, n, each=False))
        listed.append(
            np.concatenate(
                [rng.integers(LISTED[0], LISTED[1], count + gone), rng.integers(COUNTED + 1, HORIZON, later)]
            )
        )
        over = np.full(n, NEVER)
        over[count : count + gone] = rng.integers(LISTED[1], COUNTED, gone)
        over[:gone] = rng.integers(COUNTED + 1, HORIZON, gone)
        ended.append(over)
        code.append(_codes(units.of.parts[part].tax_prefix, n))
    cells, since, numbers, until = (np.concatenate(one) for one in (cell, listed, code, ended))
    order = np.argsort(since, kind="stable")
    cells, since, numbers, until = cells[order], since[order], numbers[order], until[order]
    plan = defects.plan(seed, ENTERPRISE, since, {}, (units.part[cells] == 0) & (since <= COUNTED))
    activity = c.weighted(rng, ACTIVITY_WEIGHTS, len(cells))

    def render(rows: Ints, as_of: int) -> dict[str, Column]:
        place = units.resolve(cells[rows], c.mix(rows, 61) % 1_000 / 1_000, since[rows])
        return {
            "tax_code": c.digits(numbers[rows], 10),
            "enterprise_name": c.join("Công ty Công nghệ số ", c.plain(rows + 1)),
            "activity_code": c.take(ACTIVITIES, activity[rows]),
            "commune_code": units.text("code", place),
            "listed_on": c.date_text(since[rows]),
            "ended_on": c.blank(c.date_text(until[rows]), until[rows] > as_of),
            "employees": c.plain(1 + c.mix(rows, 62) % 40),
        }

    return Listing(ENTERPRISE, since, plan, render)


def _codes(prefix: str, count: int) -> Ints:
    return tax_codes(prefix, SERIAL // 2)[-count:]
