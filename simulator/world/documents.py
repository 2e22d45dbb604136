"""The document system: outgoing documents, units, work handled online, accounts; and certificates of signatures.

Calibration, of the first part of the province (Long An). Documents are scaled, everything else is not. First quarter of
2024: 33,557 documents of the upper levels, all electronic, 12 without a signature; of communes 99.92 % signed. In 2024:
99.96 % and 99.99 % signed, communes 99.99 % electronic; work online 92 % (departments), 97 % (districts), 99 % (communes);
at its end 9,350 accounts, 4,512 of mail, 92 % of them used. Certificates in force: 4,938 on 13/5/2024, 6,265 on 31/12/2024.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator import columns as c
from simulator import defects
from simulator.clock import HORIZON, REFORM, month_start, working_days
from simulator.columns import NEVER, Bools, Column, Ints
from simulator.delivery import Table
from simulator.units import Units
from simulator.wire.documents import ACCOUNT, CERTIFICATE, HEADER, UNIT, WORK
from simulator.world.hotline import ListTable
from simulator.world.offices import COMMUNE, DEPARTMENT, DISTRICT, Desks, codes
from simulator.world.people import People
from simulator.world.procedures import DEPARTMENTS, Agencies

FIRST = c.day_number("2024-01-01")
QUARTER_END, YEAR_END, MAY = (c.day_number(day) for day in ("2024-03-31", "2024-12-31", "2024-05-13"))
UPPER, UPPER_UNSIGNED, UPPER_YEAR, UPPER_YEAR_UNSIGNED = 33_557, 12, 141_000, 0.0004
LOWER, LOWER_UNSIGNED, LOWER_YEAR, LOWER_YEAR_PAPER = 20_000, 16, 112_000, 10
OTHER_UNSIGNED, OTHER_PAPER = 0.001, 0.0005
ONLINE = (0.92, 0.97, 0.99)
HANDLED = ((250, 900), (350, 1_200), (60, 320))
ACCOUNTS, MAIL, MAIL_USED = 9_350, 4_512, 0.92
CERTIFICATES_MAY, CERTIFICATES_YEAR_END, REVOKED_SINCE, ENDED_BEFORE = 4_938, 6_265, 140, 620
SYSTEM_FIRST = c.day_number("2021-01-01")
FULL_CODES_UNTIL = c.day_number("2024-06-30")
TYPES = (("CV", "Công văn"), ("QĐ", "Quyết định"), ("TB", "Thông báo"), ("BC", "Báo cáo"), ("KH", "Kế hoạch"))
SUBJECTS = ("V/v triển khai nhiệm vụ", "V/v báo cáo kết quả thực hiện", "V/v cử người tham dự họp")
RECIPIENTS = ('[{"OrganId":"000.00.00.@"}]', '{"OrganId":"000.00.17.@"}', '[{"OrganId":"@.1"},{"OrganId":"@.4"}]')
"""One, one alone that comes as an object, two; @ is the province."""


@dataclass(frozen=True)
class Documents:
    """Outgoing documents up to the horizon, by day."""

    day: Ints
    desks: Desks
    paper: Bools
    unsigned: Bools
    plan: NDArray[np.int16]


def _spread(rng: np.random.Generator, first: int, last: int, count: int) -> Ints:
    days = working_days(first, last)
    return days[rng.integers(0, len(days), count)]


def _days(rng: np.random.Generator, scale: float, share: float, quarter: int, year: int) -> Ints:
    """Days of a part's documents: those of 2024 as counted, later ones a little more each year."""
    rest = year - quarter
    pieces = [
        _spread(rng, FIRST, QUARTER_END, round(quarter * share * scale)),
        _spread(rng, QUARTER_END + 1, YEAR_END, round(rest * share * scale)),
        _spread(rng, YEAR_END + 1, YEAR_END + 365, round(1.08 * year * share * scale)),
        _spread(rng, YEAR_END + 366, HORIZON, round(1.15 * year * share * scale)),
    ]
    return np.concatenate(pieces)


def _some(rng: np.random.Generator, where: Bools, count: int) -> Ints:
    rows: Ints = rng.permutation(np.flatnonzero(where))[:count]
    return rows


def documents(seed: int, scale: float, units: Units) -> Documents:
    """All outgoing documents up to the horizon."""
    rng = c.generator(seed, "documents")
    days, parts, lower = [], [], []
    for number, of in enumerate(units.of.parts):
        for commune, (quarter, year) in enumerate(((UPPER, UPPER_YEAR), (LOWER, LOWER_YEAR))):
            made = _days(rng, scale, 1.0 if number == 0 else of.dossiers, quarter, year)
            days.append(made)
            parts.append(np.full(len(made), number))
            lower.append(np.full(len(made), commune))
    day, part, low = np.concatenate(days), np.concatenate(parts), np.concatenate(lower)
    order = np.argsort(day, kind="stable")
    day, part, low = day[order], part[order], low[order]
    n = len(day)
    level = np.where(low == 1, COMMUNE, np.where((rng.random(n) < 0.45) & (day < REFORM), DISTRICT, DEPARTMENT))
    paper, unsigned = rng.random(n) < OTHER_PAPER, rng.random(n) < OTHER_UNSIGNED
    own = (part == 0) & (day <= YEAR_END)
    paper[own] = unsigned[own] = False
    quarter = own & (day <= QUARTER_END)
    unsigned[_some(rng, quarter & (low == 0), round(UPPER_UNSIGNED * scale))] = True
    rest = own & ~quarter & (low == 0)
    unsigned[_some(rng, rest, round(UPPER_YEAR_UNSIGNED * int(rest.sum())))] = True
    unsigned[_some(rng, quarter & (low == 1), int(LOWER_UNSIGNED * scale))] = True
    paper[_some(rng, own & ~quarter & (low == 1), int(LOWER_YEAR_PAPER * scale))] = True
    return Documents(
        day=day,
        desks=Desks.draw(rng, units, part, level),
        paper=paper,
        unsigned=unsigned | paper,
        plan=defects.plan(seed, HEADER, day, {}, own),
    )


class HeaderTable:
    """edXML headers as a deliverable table."""

    layout = HEADER

    def __init__(self, d: Documents, units: Units, offices: Agencies, people: People) -> None:
        self.d, self.units, self.offices, self.people = d, units, offices, people
        self.created, self.plan = d.day, d.plan
        self.codes, self.former_codes = codes(offices)
        self.names = c.texts([str(row["agency_name"]) for row in offices.rows])
        self.recipients = c.texts([text.replace("@", units.of.parts[0].agency_code) for text in RECIPIENTS])

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second at which it was sent."""
        return c.at(self.d.day[rows], 28_800 + c.mix(rows, 81) % 32_000)

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows."""
        d, n, day = self.d, len(rows), self.d.day[rows]
        agency = d.desks.agency(self.units, self.offices, rows, day)
        person = c.mix(rows, 82) % len(self.people.surname)
        kind = c.weighted_by(c.mix(rows, 83), (60, 14, 12, 8, 6))
        signed = np.where(d.unsigned[rows], 0, 1 + c.weighted_by(c.mix(rows, 84), (2, 6, 92)))
        about = c.take(SUBJECTS, c.mix(rows, 85) % len(SUBJECTS))
        named = c.mix(rows, 86) % 10 == 0
        return {
            "document_id": c.join("VB", c.date_text(day, "%y%m%d"), "-", c.digits(rows + 1, 8)),
            "sender_code": c.choose(
                day <= FULL_CODES_UNTIL, c.take(self.former_codes, agency), c.take(self.codes, agency)
            ),
            "sender_name": c.take(self.names, agency),
            "recipients": c.take(self.recipients, c.mix(rows, 87) % 3),
            "code_number": c.plain(1 + c.mix(rows, 88) % 4_000),
            "code_notation": c.join(c.take([code for code, _ in TYPES], kind), "-VP"),
            "place": c.constant(None, n),
            "promulgated_on": c.date_text(day, "%Y-%m-%d"),
            "type_code": c.take([code for code, _ in TYPES], kind),
            "type_name": c.take([name for _, name in TYPES], kind),
            "subject": c.choose(named, c.join(about, " của ", self.people.full_name(person)), about),
            "signer_position": c.take(("Giám đốc", "Phó Giám đốc", "Chủ tịch"), c.mix(rows, 89) % 3),
            "signer_name": self.people.full_name(c.mix(agency, 90) % len(self.people.surname)),
            "priority": c.take(("0", "1"), (c.mix(rows, 91) % 20 == 0).astype(np.int64)),
            "pages": c.plain(1 + c.mix(rows, 92) % 9),
            "form_code": c.take(("DT", "GIAY"), d.paper[rows].astype(np.int64)),
            "signature_code": c.plain(signed),
            "updated_at": c.stamp_iso(updated),
        }


def _kind(row: dict[str, str | int | None]) -> str:
    """Kind of unit by its place among the agencies: numbers above those of departments are of the central line."""
    if row["level_code"] != "TINH":
        return str(row["level_code"])
    if row["parent_code"] is None:
        return "UB"
    return "ND" if int(str(row["agency_code"]).split(".")[1]) > len(DEPARTMENTS) - 2 else "SO"


def unit_list(offices: Agencies) -> "SystemUnits":
    """Every agency joined the system in the first months of 2021, or when it was established."""
    rows: list[dict[str, str | None]] = []
    starts, ends = [], []
    for number, row in enumerate(offices.rows):
        start, end = int(row["valid_from"] or 0), int(row["valid_to"] or 0)
        joined = start + number * 7 % 150 if start == SYSTEM_FIRST else start
        names = {"unit_code": str(row["agency_code"]), "unit_name": str(row["agency_name"]), "kind_code": _kind(row)}
        dates = {"established_on": _dmy(start), "joined_on": _dmy(joined), "ended_on": None}
        rows.append({**names, **dates})
        starts.append(start)
        ends.append(end)
    return SystemUnits(rows, np.array(starts), np.array(ends))


class SystemUnits(ListTable):
    """Units of the document system; an end shows once it has come."""

    layout = UNIT

    def __init__(self, rows: list[dict[str, str | None]], created: Ints, ended: Ints) -> None:
        super().__init__(rows, created)
        self.ended = ended

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """The rows as on the day."""
        columns = super().render(rows, updated, as_of)
        ended = np.where(self.ended[rows] < as_of, self.ended[rows], NEVER)
        return {**columns, "ended_on": c.date_text(ended)}


def _dmy(day: int) -> str:
    return "/".join(reversed(c.iso_day(day).split("-")))


class WorkTable:
    """What each unit reports on the last day of a month; numbers in Vietnamese format."""

    layout = WORK

    def __init__(self, seed: int, offices: Agencies, prefix: str) -> None:
        rng = c.generator(seed, "work online")
        agency, month, created = [], [], []
        first = FIRST
        while first <= HORIZON:
            last = month_start(first + 31) - 1
            for number, row in enumerate(offices.rows):
                if int(row["valid_from"] or 0) <= last <= int(row["valid_to"] or 0):
                    agency.append(number)
                    month.append(first)
                    created.append(last)
            first = last + 1
        self.agency, self.month, self.created = np.array(agency), np.array(month), np.array(created)
        levels = np.array([("TINH", "HUYEN", "XA").index(str(row["level_code"])) for row in offices.rows])
        level = levels[self.agency]
        low, high = np.array(HANDLED)[level].T
        self.handled = rng.integers(low, high)
        share = np.array(ONLINE)[level] + rng.uniform(-0.008, 0.008, len(level))
        self.online = np.minimum(np.rint(self.handled * share).astype(np.int64), self.handled)
        self.codes = c.texts([str(row["agency_code"]) for row in offices.rows])
        own = np.array([str(row["agency_code"]).split(".")[0] == prefix for row in offices.rows])[self.agency]
        self.plan = defects.plan(seed, WORK, self.created, {}, own & (self.created <= YEAR_END))

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """The day of the report."""
        return c.at(self.created[rows], np.zeros(len(rows), dtype=np.int64))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows."""
        return {
            "unit_code": c.take(self.codes, self.agency[rows]),
            "month_start": c.date_text(self.month[rows]),
            "handled": c.thousands(self.handled[rows]),
            "handled_online": c.thousands(self.online[rows]),
        }


@dataclass(frozen=True)
class Held:
    """Accounts or certificates: day of issue, last planned day, day of an early end, and the desk that got it."""

    created: Ints
    until: Ints
    ended: Ints
    kind: Ints
    desks: Desks
    own: Bools


def _held(
    rng: np.random.Generator, units: Units, created: list[Ints], ended: list[Ints], kind: list[Ints], years: Ints | None
) -> Held:
    day, end, which = np.concatenate(created), np.concatenate(ended), np.concatenate(kind)
    part = np.repeat(np.arange(len(created)), [len(days) for days in created])
    order = np.argsort(day, kind="stable")
    n = len(day)
    level = c.weighted(rng, (25, 30, 45), n)
    desks = Desks.draw(rng, units, part[order], level)
    until = np.full(n, NEVER) if years is None else day[order] + 365 * 5
    return Held(day[order], until, end[order], which[order], desks, (part == 0)[order])


def _accounts(seed: int, units: Units) -> tuple[Held, Ints]:
    """Accounts (kind 0 documents, 1 mail), and the day of first use. Those of the first part are exact at the end of 2024."""
    rng = c.generator(seed, "accounts")
    created, ended, kind = [], [], []
    for number, part in enumerate(units.of.parts):
        share = 1.0 if number == 0 else part.dossiers
        counts = (round(ACCOUNTS * share), round(MAIL * share))
        later = [round(0.06 * count) for count in counts]
        days = [rng.integers(SYSTEM_FIRST, YEAR_END + 1, count) for count in counts]
        days += [rng.integers(YEAR_END + 1, HORIZON, count) for count in later]
        created.append(np.concatenate(days))
        kind.append(np.repeat([0, 1, 0, 1], [*counts, *later]))
        ended.append(np.full(len(created[-1]), NEVER))
    held = _held(rng, units, created, ended, kind, None)
    mail = (held.kind == 1) & (held.created <= YEAR_END)
    used = np.where(rng.random(len(held.created)) < 0.96, held.created + rng.integers(0, 40, len(held.created)), NEVER)
    used = np.where(mail & (rng.random(len(used)) < 0.5), np.minimum(used, YEAR_END), used)
    for own in (True, False):
        rows = rng.permutation(np.flatnonzero(mail & (held.own == own)))
        wanted = round(MAIL_USED * len(rows))
        used[rows[:wanted]] = np.minimum(held.created[rows[:wanted]] + rng.integers(0, 40, wanted), YEAR_END)
        used[rows[wanted:]] = NEVER
    return held, used


class AccountTable:
    """Accounts of the document system and of mail; an end and a first use show once they have come."""

    layout = ACCOUNT

    def __init__(self, seed: int, units: Units, offices: Agencies, people: People) -> None:
        self.held, self.used = _accounts(seed, units)
        self.units, self.offices, self.people = units, offices, people
        self.created = self.held.created
        eligible = {("first_used_on", "DATE_ORDER"): self.used < NEVER}
        own = self.held.own & (self.created <= YEAR_END)
        self.plan = defects.plan(seed, ACCOUNT, self.created, eligible, own)
        self.codes = codes(offices)[0]

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """The day of issue: the list is sent whole."""
        return c.at(self.created[rows], np.zeros(len(rows), dtype=np.int64))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day."""
        held, day = self.held, self.created[rows]
        agency = held.desks.agency(self.units, self.offices, rows, day)
        return {
            "account_id": c.join(c.take(("VB", "TD"), held.kind[rows]), c.digits(rows + 1, 7)),
            "system_code": c.take(("QLVB", "THU"), held.kind[rows]),
            "unit_code": c.take(self.codes, agency),
            "holder_name": self.people.full_name(c.mix(rows, 93) % len(self.people.surname)),
            "opened_on": c.date_text(day),
            "first_used_on": c.date_text(np.where(self.used[rows] <= as_of, self.used[rows], NEVER)),
            "closed_on": c.date_text(np.where(held.ended[rows] <= as_of, held.ended[rows], NEVER)),
        }


def _certificates(seed: int, units: Units) -> Held:
    """Certificates (kind 0 of an agency, 1 of a person), five years each; those of the first part in force are exact."""
    rng = c.generator(seed, "certificates")
    created, ended, kind = [], [], []
    for number, part in enumerate(units.of.parts):
        share = 1.0 if number == 0 else part.dossiers
        counts = (CERTIFICATES_MAY, CERTIFICATES_YEAR_END - CERTIFICATES_MAY + REVOKED_SINCE, ENDED_BEFORE, 1_800)
        before, since, over, later = (round(count * share) for count in counts)
        days = [rng.integers(SYSTEM_FIRST, MAY + 1, before), rng.integers(MAY + 1, YEAR_END + 1, since)]
        days += [rng.integers(SYSTEM_FIRST, MAY - 200, over), rng.integers(YEAR_END + 1, HORIZON, later)]
        ends = [np.full(len(one), NEVER) for one in days]
        ends[0][: round(REVOKED_SINCE * share)] = rng.integers(MAY + 1, YEAR_END + 1, round(REVOKED_SINCE * share))
        ends[2] = np.minimum(days[2] + rng.integers(30, 190, over), MAY - 1)
        created.append(np.concatenate(days))
        ended.append(np.concatenate(ends))
        kind.append((rng.random(len(created[-1])) < 0.82).astype(np.int64))
    return _held(rng, units, created, ended, kind, np.array([5]))


class CertificateTable:
    """Certificates of signatures for public duties; a revocation shows once it has come."""

    layout = CERTIFICATE

    def __init__(self, seed: int, units: Units, offices: Agencies, people: People) -> None:
        self.held = _certificates(seed, units)
        self.units, self.offices, self.people = units, offices, people
        self.created = self.held.created
        self.plan = defects.plan(seed, CERTIFICATE, self.created, {}, self.held.own & (self.created <= YEAR_END))
        self.codes = codes(offices)[0]
        self.names = c.texts([str(row["agency_name"]) for row in offices.rows])

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """The day of issue: the list is sent whole."""
        return c.at(self.created[rows], np.zeros(len(rows), dtype=np.int64))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day."""
        held, day = self.held, self.created[rows]
        agency = held.desks.agency(self.units, self.offices, rows, day)
        person = self.people.full_name(c.mix(rows, 94) % len(self.people.surname))
        return {
            "serial_no": c.join("54", c.digits(c.mix(rows, 95) % 10**6, 6), c.digits(rows + 1, 8)),
            "subject_code": c.take(("TC", "CN"), held.kind[rows]),
            "unit_code": c.take(self.codes, agency),
            "holder_name": c.choose(held.kind[rows] == 1, person, c.take(self.names, agency)),
            "valid_from": c.date_text(day),
            "valid_to": c.date_text(held.until[rows]),
            "revoked_on": c.date_text(np.where(held.ended[rows] <= as_of, held.ended[rows], NEVER)),
        }


def tables(seed: int, scale: float, units: Units, offices: Agencies, people: People) -> list[Table]:
    """What the document system delivers."""
    return [
        HeaderTable(documents(seed, scale, units), units, offices, people),
        unit_list(offices),
        WorkTable(seed, offices, units.of.parts[0].agency_code),
        AccountTable(seed, units, offices, people),
        CertificateTable(seed, units, offices, people),
    ]
