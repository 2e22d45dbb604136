"""Feedback by telephone, app and web: reports from the spot, and, kept apart by the platform, feedback on regulations and on
officials' behaviour (NĐ 20/2008/NĐ-CP).

Calibration, of the first part of the province (Long An), whatever the scale: 2,395 reports in 2023, 2,560 from 1/1 to
6/11/2024; of those answered in that time 93 % by the day promised.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator import columns as c
from simulator import defects, names
from simulator.clock import HORIZON, MERGER, REFORM, add_working_days
from simulator.columns import NEVER, Bools, Column, Floats, Ints
from simulator.delivery import Table
from simulator.units import Units, read
from simulator.wire.hotline import CATEGORY, PETITION, PLACE
from simulator.world.people import People
from simulator.world.procedures import Agencies
from simulator.world.residents import phones

LAUNCH = c.day_number("2023-01-01")
WINDOW = (c.day_number("2024-01-01"), c.day_number("2024-11-06"))
REPORTS_BEFORE, REPORTS_IN_WINDOW, ON_TIME = 2_395, 2_560, 0.93
GROWTH_PER_YEAR = 0.06
OTHER_KINDS = 0.05
"""Feedback on regulations and behaviour beside one report from the spot."""
REGULATION_DAYS = 15
REFUSED, DUPLICATE, NEVER_ANSWERED, OTHER_LATE = 0.03, 0.015, 0.006, 0.08
CHANNELS = ("TD", "APP", "ZALO", "WEB", "EMAIL")
KINDS = ("HT", "QD", "HV")
TITLES = ("Phản ánh", "Kiến nghị xử lý", "Đề nghị kiểm tra")
UTC = ".000+0000"
ZONE = 7 * 3_600


def object_id(*parts: object) -> str:
    """An id of 24 hexadecimal digits, the same for the same thing."""
    return "64f" + hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:21]


@dataclass(frozen=True)
class Petitions:
    """Columns over all petitions up to the horizon; times are local seconds, days NEVER-based. kind: position in KINDS."""

    day: Ints
    part: Ints
    cell: Ints
    u: Floats
    kind: Ints
    category: Ints
    agency: Ints
    person: Ints
    received: Ints
    due: Ints
    answered: Ints
    published: Ints
    rating: Ints
    refused: Bools
    duplicate: Bools
    plan: NDArray[np.int16]


def _days(rng: np.random.Generator, units: Units) -> tuple[Ints, Ints]:
    """(day, part) of every report; those of the first part are exact until the end of the window."""
    span = int(WINDOW[1] - WINDOW[0]) + 1
    pieces = [
        rng.integers(LAUNCH, WINDOW[0], REPORTS_BEFORE),
        rng.integers(WINDOW[0], WINDOW[1] + 1, REPORTS_IN_WINDOW),
    ]
    later = np.arange(WINDOW[1] + 1, HORIZON + 1)
    rate = REPORTS_IN_WINDOW / span * (1 + GROWTH_PER_YEAR * (later - WINDOW[1]) / 365.25)
    pieces.append(np.repeat(later, rng.poisson(rate)))
    days = [np.concatenate(pieces)]
    whole = np.arange(LAUNCH, HORIZON + 1)
    for other in units.of.parts[1:]:
        growing = REPORTS_IN_WINDOW / span * other.dossiers * (1 + GROWTH_PER_YEAR * (whole - WINDOW[1]) / 365.25)
        days.append(np.repeat(whole, rng.poisson(growing)))
    part = np.repeat(np.arange(len(days)), [len(one) for one in days])
    return np.concatenate(days), part


def _agency(units: Units, offices: Agencies, cell: Ints, u: Floats, day: Ints, department: Ints) -> Ints:
    """Who has to answer: the department of the field, else the district and from 1/7/2025 the commune."""
    side = np.where(day >= REFORM, len(units.of.parts), units.part[cell])
    of_field = offices.department[side, (day >= MERGER).astype(np.int64), np.maximum(department, 1)]
    commune = offices.commune[units.resolve(cell, u, day)]
    local = np.where(day >= REFORM, commune, offices.district[cell])
    return np.where(department > 0, of_field, local)


def generate(seed: int, units: Units, offices: Agencies, people: People) -> Petitions:
    """All petitions up to the horizon, by the day of reception; not scaled."""
    rng = c.generator(seed, "hotline")
    listed = read("feedback.csv")
    day, part = _days(rng, units)
    others = rng.random(len(day)) < OTHER_KINDS
    day, part = np.concatenate([day, day[others]]), np.concatenate([part, part[others]])
    n = len(day)
    kind = np.where(np.arange(n) < len(others), 0, 1 + rng.integers(0, 2, n))
    order = np.argsort(day, kind="stable")
    day, part, kind = day[order], part[order], kind[order]
    cell, u = units.cells_by_part(rng, part, units.population), rng.random(n)
    category = c.weighted(rng, [float(row["trong_so"]) for row in listed], n)
    department = np.array([int(row["so_nganh"]) for row in listed])[category]
    received = c.at(day, 21_600 + rng.integers(0, 57_600, n))
    limit = np.where(kind == 0, np.array([int(row["han_ngay"]) for row in listed])[category], REGULATION_DAYS)
    due_day = add_working_days(day, limit)
    refused = rng.random(n) < REFUSED
    duplicate = (rng.random(n) < DUPLICATE) & ~((part == 0) & (day <= WINDOW[1]) & (kind == 0))
    answered = _answers(rng, (part == 0) & (kind == 0) & ~refused & ~duplicate, received, due_day, limit)
    answered = np.where(refused, received + 3_600 * (20 + rng.integers(0, 20, n)), answered)
    answered = np.where(duplicate, NEVER * 86_400, answered)
    public = rng.random(n) < 0.8
    published = np.where(public & ~refused, answered + 3_600 * rng.integers(1, 30, n), NEVER * 86_400)
    rating = np.where(rng.random(n) < 0.45, c.weighted(rng, (55, 32, 13), n), -1)
    out = Petitions(
        day=day,
        part=part,
        cell=cell,
        u=u,
        kind=kind,
        category=category,
        agency=_agency(units, offices, cell, u, day, department),
        person=people.heads_in(rng, cell),
        received=received,
        due=c.at(due_day, np.full(n, 61_200)),
        answered=np.minimum(answered, NEVER * 86_400),
        published=np.where(answered >= NEVER * 86_400, NEVER * 86_400, published),
        rating=np.where(refused | duplicate, -1, rating),
        refused=refused,
        duplicate=duplicate,
        plan=np.full(n, -1, dtype=np.int16),
    )
    settled = (out.answered < NEVER * 86_400) & ~refused
    eligible = {
        ("answered_at", "DATE_ORDER"): settled,
        ("satisfaction_code", "CODE_UNKNOWN"): settled & (out.rating >= 0),
    }
    blocked = (part == 0) & (day <= WINDOW[1])
    out.plan[:] = defects.plan(seed, PETITION, day, eligible, blocked)
    return out


def _answers(rng: np.random.Generator, counted: Bools, received: Ints, due_day: Ints, limit: Ints) -> Ints:
    """Local second of each answer; exactly the share in time of what is counted and answered in the window."""
    n = len(received)
    day = received // 86_400
    early = np.minimum((limit * rng.random(n)).astype(np.int64), limit - 1)
    draw = rng.random(n)
    late = draw < OTHER_LATE
    in_time = add_working_days(day, early)
    too_late = add_working_days(due_day, 1 + (6 * rng.random(n)).astype(np.int64))
    end = WINDOW[1]
    inside = counted & (day >= WINDOW[0] - 30) & (np.where(late, too_late, in_time) <= end)
    inside &= np.where(late, too_late, in_time) >= WINDOW[0]
    # Who answers at all in the window is drawn first; how many of them late follows from the share.
    rows = np.flatnonzero(inside & (too_late <= end) & (in_time >= WINDOW[0]))
    others = int((inside & late).sum()) - int((inside & late)[rows].sum())
    wanted = round((1 - ON_TIME) * int(inside.sum())) - others
    late[rows] = False
    late[rows[np.argsort(draw[rows], kind="stable")[:wanted]]] = True
    second = 32_400 + rng.integers(0, 26_000, n)
    answered = c.at(np.where(late, too_late, np.minimum(in_time, due_day)), second)
    answered = np.maximum(answered, received + 2_400)
    never = (rng.random(n) < NEVER_ANSWERED) & ~inside
    return np.where(never, NEVER * 86_400, answered)


def _utc(seconds: Ints) -> Column:
    """Local seconds as ISO 8601 in UTC, as the platform writes them; null where NEVER."""
    return c.stamp_iso(np.where(seconds >= NEVER * 86_400, seconds, seconds - ZONE), UTC)


class PetitionTable:
    """Petitions as a deliverable table."""

    layout = PETITION

    def __init__(self, p: Petitions, units: Units, offices: Agencies, people: People) -> None:
        self.p, self.units, self.offices, self.people = p, units, offices, people
        self.created, self.plan = p.day, p.plan
        self.places = PlaceTable(units)
        listed = read("feedback.csv")
        self.categories = c.texts([object_id("category", row["ma"], row["chuyen_muc"]) for row in listed])
        self.category_names = c.texts([row["chuyen_muc"] for row in listed])
        self.agency_names = c.texts([str(row["agency_name"]) for row in offices.rows])

    def _steps(self, rows: Ints) -> list[tuple[int, Ints]]:
        p = self.p
        never = np.full(len(rows), NEVER * 86_400)
        received, answered = p.received[rows], p.answered[rows]
        forwarded = np.where(p.refused[rows] | p.duplicate[rows], never, received + 1_800)
        handled = np.where(p.refused[rows] | p.duplicate[rows], never, received + 14_400)
        open_answer = np.where(p.refused[rows], never, answered)
        return [
            (1, received), (2, forwarded), (3, np.where(handled < answered, handled, never)), (4, open_answer),
            (5, p.published[rows]), (6, np.where(p.refused[rows], answered, never)),
            (7, np.where(p.duplicate[rows], received + 3_600, never)),
        ]  # fmt: skip

    def _state(self, rows: Ints, as_of: int) -> tuple[Ints, Ints]:
        """(status, last happening) up to the end of the day."""
        now = (as_of + 1) * 86_400 - 1
        status, last = np.full(len(rows), 1), self.p.received[rows].copy()
        for code, moment in self._steps(rows):
            over = (moment <= now) & (moment >= last)
            status, last = np.where(over, code, status), np.where(over, moment, last)
        return status, last

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the last happening up to the end of the day."""
        return self._state(rows, as_of)[1]

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day."""
        p, n = self.p, len(rows)
        now, never = (as_of + 1) * 86_400 - 1, NEVER * 86_400
        status = self._state(rows, as_of)[0]
        unit = self.units.resolve(p.cell[rows], p.u[rows], p.day[rows])
        anonymous = c.mix(rows, 71) % 12 == 0
        person = p.person[rows]
        name = c.blank(self.people.full_name(person), anonymous)
        phone = c.blank(phones(c.mix(person, 66)), anonymous)
        address = c.join(
            c.take(names.DETAILS, c.mix(rows, 72) % len(names.DETAILS)), ", ", self.units.text("name", unit)
        )
        about = c.take(self.category_names, p.category[rows])
        answered = np.where(p.answered[rows] <= now, p.answered[rows], never)
        rated = (p.rating[rows] >= 0) & (answered < never)
        unlucky = (p.due[rows] < np.minimum(p.answered[rows], now)) & (c.mix(rows, 73) % 3 == 0)
        return {
            "petition_id": c.texts([object_id("petition", row) for row in rows.tolist()]),
            "petition_code": c.join("PA", c.date_text(p.day[rows], "%y%m%d"), "-", c.digits(rows % 100_000, 5)),
            "kind_code": c.take(KINDS, p.kind[rows]),
            "category_id": c.take(self.categories, p.category[rows]),
            "category_name": about,
            "title": c.join(c.take(TITLES, c.mix(rows, 74) % len(TITLES)), ": ", about),
            "description": c.join(
                "Tôi là ", c.choose(anonymous, c.constant("một người dân", n), self.people.full_name(person)),
                ", ở ", address, ", điện thoại ", phones(c.mix(person, 66)), ". Đề nghị xem xét: ", about,
            ),
            "reporter_name": name,
            "reporter_id": c.blank(self.people.resident_number(person), anonymous | (c.mix(rows, 75) % 2 == 0)),
            "phone": phone,
            "username": c.blank(phone, c.mix(rows, 76) % 3 > 0),
            "place_id": c.blank(c.take(self.places.ids, unit), c.mix(rows, 77) % 50 == 0),
            "address": address,
            "latitude": c.constant("", n),
            "longitude": c.constant("", n),
            "channel_code": c.take(CHANNELS, c.weighted_by(c.mix(rows, 78), (45, 30, 10, 12, 3))),
            "agency_code": c.take(self.offices.code, p.agency[rows]),
            "agency_name": c.take(self.agency_names, p.agency[rows]),
            "status_code": c.plain(status),
            "received_at": _utc(p.received[rows]),
            "due_at": _utc(np.where(p.duplicate[rows], never, p.due[rows])),
            "answered_at": _utc(answered),
            "published_at": _utc(np.where(p.published[rows] <= now, p.published[rows], never)),
            "satisfaction_code": c.blank(c.plain(p.rating[rows] + 1), ~rated),
            "reminders": c.plain(unlucky.astype(np.int64)),
            "is_public": c.take(("false", "true"), (p.published[rows] < never).astype(np.int64)),
            "is_anonymous": c.take(("false", "true"), anonymous.astype(np.int64)),
            "updated_at": _utc(updated),
        }  # fmt: skip


class ListTable:
    """A short list that is known from the start and sound."""

    def __init__(self, rows: list[dict[str, str | None]], created: Ints | None = None) -> None:
        self.rows = rows
        self.created = np.zeros(len(rows), dtype=np.int64) if created is None else created
        self.plan = np.full(len(rows), -1, dtype=np.int16)

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Nothing ever happens to it."""
        return np.zeros(len(rows), dtype=np.int64)

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """The rows as they are."""
        picked = [self.rows[row] for row in rows.tolist()]
        return {name: c.texts([row[name] for row in picked]) for name in self.rows[0]}


class CategoryTable(ListTable):
    """Fields and the categories under them."""

    layout = CATEGORY

    def __init__(self) -> None:
        listed = read("feedback.csv")
        rows: dict[str, dict[str, str | None]] = {}
        for row in listed:
            field = object_id("field", row["ma"])
            rows[field] = {
                "category_id": field,
                "parent_id": None,
                "category_name": row["linh_vuc"],
                "field_code": row["ma"],
            }
            category = object_id("category", row["ma"], row["chuyen_muc"])
            rows[category] = {
                "category_id": category,
                "parent_id": field,
                "category_name": row["chuyen_muc"],
                "field_code": None,
            }
        super().__init__(list(rows.values()))


class PlaceTable(ListTable):
    """Places by ids of the platform alone: province, until 30/6/2025 district, commune. New ones come on 1/7/2025."""

    layout = PLACE

    def __init__(self, units: Units) -> None:
        rows: dict[str, dict[str, str | None]] = {}
        created: list[int] = []
        commune_ids = []

        def add(key: tuple[object, ...], parent: str | None, kind: str, name: str, day: int) -> str:
            made = object_id("place", *key)
            if made not in rows:
                rows[made] = {"place_id": made, "parent_id": parent, "type_code": kind, "place_name": name}
                created.append(day)
            return made

        titles = {part.code: part.title for part in units.of.parts}
        for number, code in enumerate(units.code):
            former = number < units.cells
            title = titles[units.province[number]] if former else units.of.title
            day = 0 if former else REFORM
            top = add(("province", former, title), None, "1", title[:1].upper() + title[1:], day)
            if former:
                top = add(("district", units.district[number]), top, "2", units.district_name[number], day)
            commune_ids.append(add(("commune", former, code), top, "3", units.name[number], day))
        super().__init__(list(rows.values()), np.array(created))
        self.ids = c.texts(commune_ids)


def tables(seed: int, units: Units, offices: Agencies, people: People) -> list[Table]:
    """What the hotline delivers."""
    petitions = generate(seed, units, offices, people)
    return [PetitionTable(petitions, units, offices, people), CategoryTable(), PlaceTable(units)]
