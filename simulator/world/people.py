"""Residents, households and population events over time.

Every person is drawn once with all dates of their life up to the horizon; what the register shows on a
day follows from comparing those dates with it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator import columns as c
from simulator import defects, names
from simulator.clock import HORIZON, REFORM, START
from simulator.columns import NEVER, Bools, Column, Floats, Ints
from simulator.layouts import RESIDENT
from simulator.province import Province
from simulator.units import Units
from simulator.world import canary

AGE_BANDS = (
    7.6, 8.1, 7.9, 6.8, 6.7, 7.7, 8.6, 8.4, 7.6, 6.9, 6.2, 5.5, 4.7, 3.4, 2.1, 1.1, 0.8, 0.5, 0.15, 0.05,
)  # fmt: skip
HOUSEHOLD_SIZES = (0.11, 0.18, 0.22, 0.25, 0.13, 0.07, 0.04)
BIRTHS, DEATHS, ARRIVALS, DEPARTURES, MOVES = 0.0150, 0.0065, 0.0090, 0.0060, 0.0080
"""Rates per person and year."""
OTHER_BIRTH_PROVINCES = (79, 82, 87, 89, 74, 75, 83, 84, 93, 94, 95, 96, 1, 38, 40, 42, 52, 66)
YEARS = (HORIZON - START) / 365.25
FIRST_REGISTER_DAY = c.day_number("2004-01-01")


@dataclass(frozen=True)
class People:
    """Columns over all persons up to the horizon; days are day numbers, NEVER where it does not happen."""

    base: int
    households: int
    cell: Ints
    u: Floats
    household: Ints
    head: Ints
    relation: Ints
    sex: Ints
    birth: Ints
    number: Ints
    number_of: Ints
    surname: Ints
    middle: Ints
    given: Ints
    since: Ints
    created: Ints
    baseline: Ints
    touch: Ints
    death: Ints
    death_reg: Ints
    departure: Ints
    departure_reg: Ints
    move: Ints
    move_reg: Ints
    move_cell: Ints
    move_u: Floats
    away_cell: Ints
    away_u: Floats
    away: Bools
    no_abode: Bools
    cell_start: Ints
    plan: NDArray[np.int16]

    def resident_number(self, rows: Ints) -> Column:
        """12-digit personal numbers."""
        return c.digits(self.number[self.number_of[rows]], 12)

    def full_name(self, rows: Ints) -> Column:
        """Full names."""
        return names.full_name(self.surname[rows], self.middle[rows], self.given[rows])

    def heads_in(self, rng: np.random.Generator, cell: Ints) -> Ints:
        """A random head of household among the first residents of each cell."""
        first, last = self.cell_start[cell], self.cell_start[cell + 1]
        out: Ints = self.head[first + (rng.random(len(cell)) * np.maximum(last - first, 1)).astype(np.int64)]
        return out


def population_per_cell(units: Units, scale: float) -> Ints:
    """People per cell on 1/7/2023, exact per old province by largest remainder."""
    out = np.zeros(units.cells, dtype=np.int64)
    for number, part in enumerate(units.of.parts):
        share, total = np.where(units.part == number, units.population, 0.0), part.population
        exact = share / share.sum() * round(total * scale)
        whole = np.floor(exact).astype(np.int64)
        missing = round(total * scale) - int(whole.sum())
        whole[np.argsort(-(exact - whole), kind="stable")[:missing]] += 1
        out += whole
    return out


def _households(rng: np.random.Generator, cell: Ints) -> Ints:
    sizes = 1 + c.weighted(rng, HOUSEHOLD_SIZES, len(cell))
    starts = np.zeros(len(cell), dtype=bool)
    edges = np.cumsum(sizes)
    starts[edges[edges < len(cell)]] = True
    starts[0] = True
    starts[1:] |= cell[1:] != cell[:-1]
    out: Ints = np.cumsum(starts) - 1
    return out


def not_january_first(days: Ints) -> Ints:
    """Days moved off 1 January, which in a register means an unknown birthday."""
    dates = days.astype("datetime64[D]")
    out: Ints = days + (dates == dates.astype("datetime64[Y]"))
    return out


def _ages(rng: np.random.Generator, household: Ints) -> tuple[Ints, Bools, Ints]:
    """(birth, partner of the first member?, position of the first member) of everybody in households.

    The first member is adult, the second often a partner of about the same age; the others are children
    as often as the age pyramid asks for.
    """
    n = len(household)
    first = np.flatnonzero(np.r_[True, household[1:] != household[:-1]])[household]
    partner = (np.arange(n) == first + 1) & (rng.random(n) < 0.72)
    others = (np.arange(n) > first) & ~partner
    bands = np.array(AGE_BANDS)
    minors = bands[:4].sum() / bands.sum() * n / others.sum()
    child = others & (rng.random(n) < minors)
    band = np.where(child, c.weighted(rng, bands[:4], n), 4 + c.weighted(rng, bands[4:], n))
    years = band * 5 + rng.random(n) * 5
    years = np.where(partner, np.clip(years[first] + rng.normal(0, 4, n), 18, 99.9), years)
    return START - 1 - (years * 365.25).astype(np.int64), partner, first


def _heads(household: Ints, birth: Ints) -> tuple[Ints, Ints]:
    """(head of each person, rank by age within the household)."""
    order = np.lexsort((birth, household))
    first = np.flatnonzero(np.r_[True, household[order][1:] != household[order][:-1]])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - first[household[order]]
    return order[first][household], rank


def _relations(head: Ints, rank: Ints, birth: Ints, sex: Ints) -> Ints:
    gap = (birth - birth[head]) / 365.25
    spouse = (rank == 1) & (gap < 16) & (sex != sex[head])
    kin = np.where(gap < 16, 5, np.where(gap < 42, 3, 4))
    out = np.where(spouse, np.where(sex == 1, 2, 1), kin)
    return np.where(rank == 0, 0, out)


def _exponential(rng: np.random.Generator, rate: Floats, first: Ints) -> Ints:
    """Day of the first event of a Poisson process after `first`; NEVER past the horizon."""
    wait = rng.exponential(1.0, len(rate)) / np.maximum(rate, 1e-9) * 365.25
    day = first + 1 + np.minimum(wait, NEVER / 2).astype(np.int64)
    return np.where(day <= HORIZON, day, NEVER)


def _lagged(rng: np.random.Generator, day: Ints, most: int) -> Ints:
    lag = (rng.random(len(day)) ** 2 * (most + 1)).astype(np.int64)
    return np.where(day < NEVER, day + lag, NEVER)


def personal_numbers(province: Ints, sex: Ints, birth: Ints) -> Ints:
    """Unique numbers PPP C YY RRRRRR: six digits by rank within the group, scattered by a bijection."""
    year = birth.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    century = (year // 100 - 19) * 2 + (sex == 2)
    group = (province * 10 + century) * 100 + year % 100
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(first, np.diff(np.r_[first, len(group)]))
    out: Ints = group * 1_000_000 + (rank * 387_421 + group % 999_983) % 1_000_000
    return out


def _birth_province(rng: np.random.Generator, of: Province, part: Ints, birth: Ints) -> Ints:
    former = np.array([int(one.code) for one in of.parts])
    own = np.where(birth >= REFORM, int(of.code), former[part])
    elsewhere = (rng.random(len(birth)) < 0.12) & (birth < START)
    return np.where(
        elsewhere, rng.choice([p for p in OTHER_BIRTH_PROVINCES if f"{p:02}" not in of.codes], len(birth)), own
    )


def generate(seed: int, scale: float, units: Units) -> People:
    """All residents up to the horizon: those of 1/7/2023, then the births, then the arrivals."""
    rng = c.generator(seed, "people")
    per_cell = population_per_cell(units, scale)
    base = int(per_cell.sum())
    born, arrived = (round(base * rate * YEARS) for rate in (BIRTHS, ARRIVALS))
    cell = np.repeat(np.arange(units.cells), per_cell)
    household = _households(rng, cell)
    households = int(household[-1]) + 1
    birth, partner, first = _ages(rng, household)
    birth = not_january_first(birth)
    sex = np.where(rng.random(base) < 0.496, 1, 2)
    sex = np.where(partner, 3 - sex[first], sex)
    head, rank = _heads(household, birth)
    relation = _relations(head, rank, birth, sex)
    u = rng.random(households)[household]

    parent = head[rng.integers(0, base, born)]
    born_day = not_january_first(np.sort(rng.integers(START, HORIZON - 25, born)))
    came_cell = c.weighted(rng, units.population, arrived)
    came_day = np.sort(rng.integers(START, HORIZON - 20, arrived))
    came_birth = not_january_first(
        came_day - ((18 + np.minimum(rng.exponential(12, arrived), 60)) * 365.25).astype(np.int64)
    )
    n = base + born + arrived
    index = np.arange(n)
    newborn = (index >= base) & (index < base + born)

    cell = np.concatenate([cell, cell[parent], came_cell])
    u = np.concatenate([u, u[parent], rng.random(arrived)])
    household = np.concatenate([household, household[parent], households + np.arange(arrived)])
    birth = np.concatenate([birth, born_day, came_birth])
    sex = np.concatenate([sex, np.where(rng.random(born) < 0.525, 1, 2), np.where(rng.random(arrived) < 0.5, 1, 2)])
    head = np.concatenate([head, parent, base + born + np.arange(arrived)])
    relation = np.concatenate([relation, np.full(born, 3), np.zeros(arrived, dtype=np.int64)])
    start = np.concatenate([np.full(base, START - 1), born_day, came_day])
    created = np.concatenate([np.zeros(base, dtype=np.int64), _lagged(rng, born_day, 25), _lagged(rng, came_day, 20)])
    order = np.concatenate([np.arange(base), base + np.argsort(created[base:], kind="stable")])

    birth[canary.ROW], sex[canary.ROW] = canary.BIRTH, canary.FEMALE
    people = _life(rng, start, created, birth, newborn)
    listed = names.load()
    surname = c.weighted(rng, listed.surname_weight, n)
    kin = (relation == 3) | (relation == 4) | (relation == 5)
    surname = np.where(kin, surname[head], surname)
    since = _since(rng, birth, created, n)
    number = personal_numbers(_birth_province(rng, units.of, units.part[cell], birth), sex, birth)
    columns = {
        "cell": cell, "u": u, "household": household, "relation": relation, "sex": sex, "birth": birth,
        "number": number, "surname": surname, "middle": names.draw_by_sex(rng, listed.middle_of, sex),
        "given": names.draw_by_sex(rng, listed.given_of, sex), "since": since, "created": created,
        "baseline": START - 1 - rng.integers(0, 900, n), "away_cell": c.weighted(rng, units.population, n),
        "away_u": rng.random(n), "away": rng.random(n) < 0.05, "no_abode": rng.random(n) < 0.01,
        "move_cell": c.weighted(rng, units.population, n), "move_u": rng.random(n), **people,
    }  # fmt: skip
    columns["surname"][canary.ROW], columns["middle"][canary.ROW], columns["given"][canary.ROW] = canary.name()
    # Persons who appear later are numbered in the order of their registration, as a register would.
    columns = {name: values[order] for name, values in columns.items()}
    place = np.empty(n, dtype=np.int64)
    place[order] = index
    out = People(
        base=base,
        households=households + arrived,
        head=place[head[order]],
        number_of=index,
        cell_start=np.r_[0, np.cumsum(per_cell)],
        plan=np.full(n, -1, dtype=np.int16),
        **columns,
    )
    return _with_defects(seed, out)


def _since(rng: np.random.Generator, birth: Ints, created: Ints, n: int) -> Ints:
    earliest = np.maximum(birth, FIRST_REGISTER_DAY)
    past = earliest + (rng.random(n) * np.maximum(START - 1 - earliest, 0)).astype(np.int64)
    return np.where(created > 0, created, past)


def _life(rng: np.random.Generator, start: Ints, created: Ints, birth: Ints, newborn: Bools) -> dict[str, Ints]:
    """Deaths, departures, moves and small changes, none after a terminal event."""
    n = len(start)
    age = np.clip((start - birth) / 365.25, 0, 100)
    hazard = np.exp(0.085 * age)
    hazard *= DEATHS / hazard[created == 0].mean()
    hazard[newborn] = 0.006
    young = np.where((age >= 18) & (age < 36), 2.2, 0.55) * DEPARTURES
    after = np.maximum(start, created)
    death, departure = _exponential(rng, hazard, after), _exponential(rng, young, after)
    departure = np.where(departure < death, departure, NEVER)
    death = np.where(departure < NEVER, NEVER, death)
    death_reg, departure_reg = _lagged(rng, death, 15), _lagged(rng, departure, 20)
    last = np.minimum(death, departure)
    move = _exponential(rng, np.full(n, MOVES), after)
    move_reg = _lagged(rng, move, 20)
    stays = move_reg < last
    touch = np.where(rng.random(n) < 0.4, rng.integers(START, HORIZON, n), NEVER)
    touch = np.where((touch > created) & (touch < last), touch, NEVER)
    return {
        "touch": touch, "death": death, "death_reg": death_reg, "departure": departure,
        "departure_reg": departure_reg, "move": np.where(stays, move, NEVER),
        "move_reg": np.where(stays, move_reg, NEVER),
    }  # fmt: skip


def _with_defects(seed: int, p: People) -> People:
    listed = names.load()
    first = p.created == 0
    eventless = first & (np.minimum(np.minimum(p.death, p.departure), p.move) == NEVER)
    not_head = p.relation != 0
    late = p.created >= REFORM
    settled = late & (p.move == NEVER)
    eligible = {
        ("surname", "NOT_NFC"): listed.decomposable()[p.surname],
        ("surname", "LEGACY_LETTER"): listed.with_stroke()[p.surname],
        ("permanent_commune", "CODE_SUPERSEDED"): settled,
        ("personal_id", "ID_DUPLICATE"): first & not_head,
        ("record_id", "KEY_MISSING"): eventless,
    }
    plan = defects.plan(seed, RESIDENT, p.created, eligible)
    return replace(p, plan=plan, number_of=_twins(p, plan))


def _twins(p: People, plan: NDArray[np.int16]) -> Ints:
    """Duplicates show the number of another sound person of the same sex and year of birth."""
    twin = np.arange(len(plan))
    rows = np.flatnonzero(plan == defects.spec_number("resident", "personal_id", "ID_DUPLICATE"))
    sound = np.flatnonzero((plan == -1) & (p.created == 0))
    year = p.birth.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    group = year * 10 + p.sex
    order = sound[np.argsort(group[sound], kind="stable")]
    spot = np.searchsorted(group[order], group[rows])
    chosen = order[np.minimum(spot + np.arange(len(rows)) % 2, len(order) - 1)]
    same = group[chosen] == group[rows]
    plan[rows[~same]] = -1
    twin[rows[same]] = chosen[same]
    return twin
