"""The register of residents and its events as deliverable tables."""

import numpy as np

from simulator import columns as c
from simulator import defects, names
from simulator.clock import REFORM
from simulator.columns import NEVER, Bools, Column, Ints
from simulator.layouts import EVENT, RESIDENT
from simulator.units import Units
from simulator.world.people import People

OTHER_PROVINCES = ("79", "75", "82", "92", "96", "01", "48", "68", "66")
"""Codes that mean a neighbour both before and after 1/7/2025."""
MOBILE_PREFIXES = (
    "032",
    "033",
    "036",
    "038",
    "070",
    "077",
    "079",
    "081",
    "083",
    "090",
    "091",
    "093",
    "097",
    "098",
)
RELATIONS = ("Chủ hộ", "Vợ", "Chồng", "Con", "Cháu", "Anh, chị, em")
EVENT_TYPES = ("KS", "KT", "DEN", "DI", "NOI")


def _second(rows: Ints, salt: int) -> Ints:
    """Second of the working day at which an office registers something."""
    return 27_000 + c.mix(rows, salt) % 32_400


class Residents:
    """The register of residents as a deliverable table."""

    layout = RESIDENT

    def __init__(self, people: People, units: Units) -> None:
        self.people, self.units = people, units
        self.created, self.plan = people.created, people.plan

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the last happening up to the day."""
        p = self.people
        born = np.where(p.created[rows] > 0, p.created[rows], p.baseline[rows])
        days = [born] + [d[rows] for d in (p.touch, p.death_reg, p.departure_reg, p.move_reg)]
        last = np.max([np.where(d <= as_of, d, -NEVER) for d in days], axis=0)
        return c.at(last, _second(rows, 1))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day."""
        p, units, n = self.people, self.units, len(rows)
        listed = names.load()
        moved = p.move_reg[rows] <= as_of
        cell = np.where(moved, p.move_cell[rows], p.cell[rows])
        u = np.where(moved, p.move_u[rows], p.u[rows])
        since = np.where(moved, p.move_reg[rows], p.since[rows])
        kept_old = p.plan[rows] == defects.spec_number("resident", "permanent_commune", "CODE_SUPERSEDED")
        home = units.resolve(cell, u, np.where(kept_old, REFORM - 1, since))
        away = p.away[rows]
        abode = units.resolve(
            np.where(away, p.away_cell[rows], cell), np.where(away, p.away_u[rows], u), np.full(n, as_of)
        )
        gone = p.departure_reg[rows] <= as_of
        status = np.where(p.death_reg[rows] <= as_of, 2, np.where(gone, 3, 1))
        year = p.birth[rows].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        touched = p.touch[rows] <= as_of
        phone_seed = c.mix(rows, 5) + touched
        child = birth_after(p.birth[rows], 2012)
        house = np.where(moved, p.households + rows, p.household[rows])
        detail = c.mix(house, 8) % len(names.DETAILS)
        return {
            "record_id": c.join("DC", c.digits(rows + 1, 9)),
            "personal_id": p.resident_number(rows),
            "old_id_card": c.blank(id_cards(p, units, rows), (year > 2000) | (c.mix(rows, 7) % 5 < 2)),
            "surname": c.take(listed.surname, p.surname[rows]),
            "middle_name": c.take(listed.middle, p.middle[rows]),
            "given_name": c.take(listed.given, p.given[rows]),
            "sex_code": c.plain(p.sex[rows]),
            "birth_year": c.plain(year),
            "birth_date": c.date_text(p.birth[rows]),
            "household_no": c.join("HK", c.digits(house + 1, 8)),
            "householder_relation": c.take(RELATIONS, np.where(moved, 0, p.relation[rows])),
            "permanent_province": units.text("province", home),
            "permanent_district": units.text("district", home),
            "permanent_commune": units.text("code", home),
            "permanent_detail": c.take(names.DETAILS, detail),
            "permanent_since": c.date_text(since),
            "current_province": c.blank(units.text("province", abode), p.no_abode[rows]),
            "current_district": c.blank(units.text("district", abode), p.no_abode[rows]),
            "current_commune": c.blank(units.text("code", abode), p.no_abode[rows]),
            "phone": c.blank(phones(phone_seed), child),
            "status_code": c.plain(status),
            "updated_at": c.stamp_iso(updated),
        }


def id_cards(people: People, units: Units, rows: Ints) -> Column:
    """Former 9-digit cards: the prefix of the police that issued them, and seven digits, which two may have by chance."""
    prefixes = [part.card_prefix for part in units.of.parts]
    return c.join(c.take(prefixes, units.part[people.cell[rows]]), c.digits(c.mix(rows, 6), 7))


def birth_after(birth: Ints, year: int) -> Bools:
    """Born after 1 January of the year."""
    return birth > c.day_number(f"{year}-01-01")


def phones(seed: Ints) -> Column:
    """Ten-digit mobile numbers."""
    return c.join(c.take(MOBILE_PREFIXES, seed % len(MOBILE_PREFIXES)), c.digits(seed // 16, 7))


class Events:
    """Population events as a deliverable table, in the order of their registration."""

    layout = EVENT

    def __init__(self, seed: int, people: People, units: Units) -> None:
        self.people, self.units = people, units
        p = people
        arrival = (p.relation == 0) & (p.created > 0)
        birth = (p.created > 0) & ~arrival
        sets = [
            (0, birth, p.birth, p.created), (2, arrival, _arrival_day(p), p.created),
            (1, p.death < NEVER, p.death, p.death_reg),
            (3, p.departure < NEVER, p.departure, p.departure_reg),
            (4, p.move < NEVER, p.move, p.move_reg),
        ]  # fmt: skip
        kind = np.concatenate([np.full(int(mask.sum()), k) for k, mask, _, _ in sets])
        person = np.concatenate([np.flatnonzero(mask) for _, mask, _, _ in sets])
        day = np.concatenate([d[mask] for _, mask, d, _ in sets])
        registered = np.concatenate([r[mask] for _, mask, _, r in sets])
        order = np.lexsort((kind, person, registered))
        self.kind, self.person, self.day, self.created = (
            kind[order],
            person[order],
            day[order],
            registered[order],
        )
        orphaned = np.isin(p.plan[self.person], [defects.spec_number("resident", "record_id", "KEY_MISSING")])
        eligible = {("to_commune", "CODE_UNKNOWN"): self.kind != 3}
        self.plan = defects.plan(seed, EVENT, self.created, eligible, orphaned)

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the registration."""
        return c.at(self.created[rows], _second(rows, 2))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows."""
        p, units = self.people, self.units
        kind, person, day = self.kind[rows], self.person[rows], self.day[rows]
        moved = p.move[person] <= day
        before = units.resolve(p.cell[person], p.u[person], day)
        here = units.resolve(
            np.where(moved, p.move_cell[person], p.cell[person]),
            np.where(moved, p.move_u[person], p.u[person]),
            day,
        )
        others = [code for code in OTHER_PROVINCES if code not in units.of.codes]
        other = c.take(others, c.mix(rows, 9) % len(others))
        origin = np.where(kind == 4, before, here)
        leaves = (kind == 3) | (kind == 4)
        return {
            "event_id": c.join("BD", c.digits(rows + 1, 9)),
            "record_id": c.join("DC", c.digits(person + 1, 9)),
            "event_type": c.take(EVENT_TYPES, kind),
            "event_date": c.date_text(day),
            "registered_at": c.date_text(self.created[rows]),
            "from_province": c.choose(kind == 2, other, c.blank(units.text("province", origin), ~leaves)),
            "from_commune": c.blank(units.text("code", origin), ~leaves),
            "to_province": c.choose(kind == 3, other, units.text("province", here)),
            "to_commune": c.blank(units.text("code", here), kind == 3),
            "updated_at": c.stamp_iso(updated),
        }


def _arrival_day(p: People) -> Ints:
    """Day of arrival: up to ten days before its registration."""
    return p.created - c.mix(np.arange(len(p.created)), 3) % 10
