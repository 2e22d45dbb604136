"""Dossiers of the one-stop system: reception, handling, result, in the state of a given day.

Calibration, of the first part of the province (Long An): 64,022 dossiers of which 62,968 online received
1/1-14/3/2024, as the province file says, on 386 services of which 375 were used online; 60.83 % of the results of
Q1/2024 electronic, 60.56 % of its dossiers digitised; 99.99 % of 2024 settled in time; about 98 % of 2024 filed online.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator import columns as c
from simulator import defects, names
from simulator.clock import HORIZON, MERGER, REFORM, SPLIT_2024, START, add_working_days, working_days
from simulator.columns import NEVER, Bools, Column, Floats, Ints
from simulator.layouts import DOSSIER
from simulator.province import Province
from simulator.units import Units, read
from simulator.world.business import Enterprises
from simulator.world.people import People
from simulator.world.procedures import Agencies, Catalogue
from simulator.world.residents import phones
from simulator.world.services import WINDOW, popularity_of, served

QUARTER = (c.day_number("2024-01-01"), c.day_number("2024-03-31"))
ELECTRONIC, DIGITISED, LATE = 0.6083, 0.6056, 0.0001
OTHER_LATE = 0.004
ONLINE_2024 = 0.98
GROWTH_PER_YEAR = 0.06
LEVEL_MIX = {False: (22.0, 33.0, 45.0), True: (34.0, 0.0, 66.0)}
"""Provincial, district and commune procedures before and after 1/7/2025."""
NEW_CODES = REFORM
"""From this day codes carry an 8-digit day and a 7-digit sequence (form of TT 03/2025/TT-VPCP)."""
OLD_CODES_UNTIL = c.day_number("2024-06-30")
HAND_OVERS = (SPLIT_2024, MERGER, REFORM)
"""Days on which agencies end: what they have in hand goes to whoever takes their work, ten minutes past midnight."""
REUSED, STORED = 0.55, 0.2
"""Of the digitised dossiers: with a component that was used before, with one from the national store (DMQG)."""
REFUSED, WITHDRAWN, STOPPED, SUPPLEMENT, FINANCE = 0.004, 0.003, 0.001, 0.03, 0.02


@dataclass(frozen=True)
class Dossiers:
    """Columns over all dossiers up to the horizon; times are local seconds, days NEVER-based.

    agency: position of the agency at reception; handler: of the one that has it from the second `handed` on.
    """

    day: Ints
    part: Ints
    cell: Ints
    u: Floats
    procedure: Ints
    agency: Ints
    handler: Ints
    handed: Ints
    sequence: Ints
    channel: Ints
    firm: Bools
    person: Ints
    company: Ints
    refused: Bools
    ending: Ints
    received: Ints
    ask: Ints
    answer: Ints
    due: Ints
    finished: Ints
    returned: Ints
    digitised: Bools
    electronic: Bools
    reused: Bools
    stored: Bools
    plan: NDArray[np.int16]


def _daily(rng: np.random.Generator, days: Ints, rate: float) -> Ints:
    """Dossiers per working day: growth, a dip before and a rush after the turn of the lunar year, noise."""
    years = (days - WINDOW[0]) / 365.25
    season = 1 + 0.08 * np.sin(2 * np.pi * (years + 0.2))
    weekday = np.array((1.12, 1.02, 0.98, 0.96, 0.92, 0.5, 0.5))[(days + 3) % 7]
    out: Ints = rng.poisson(rate * (1 + GROWTH_PER_YEAR * years) * season * weekday)
    return out


def _receptions(rng: np.random.Generator, scale: float, of: Province) -> tuple[Ints, Ints]:
    """(day, part) of every dossier; the window of the first part is exact."""
    days = working_days(START, HORIZON)
    window = (days >= WINDOW[0]) & (days <= WINDOW[1])
    rate = of.received / int(window.sum()) * scale
    own = _daily(rng, days, rate)
    exact = c.weighted(rng, np.ones(int(window.sum())), round(of.received * scale))
    own[window] = np.bincount(exact, minlength=int(window.sum()))
    counts = [own] + [_daily(rng, days, rate * other.dossiers) for other in of.parts[1:]]
    day = np.concatenate([np.repeat(days, count) for count in counts])
    part = np.repeat(np.arange(len(counts)), [count.sum() for count in counts])
    order = np.argsort(day, kind="stable")
    return day[order], part[order]


def _procedures(rng: np.random.Generator, listed: Catalogue, popularity: Floats, day: Ints) -> Ints:
    """A procedure in force on the day, popular ones far more often (Zipf)."""
    out = np.zeros(len(day), dtype=np.int64)
    edges = np.unique(np.concatenate([listed.start, listed.end[listed.end < NEVER] + 1]))
    edges = np.r_[START, edges[(edges > START) & (edges <= HORIZON)], HORIZON + 1]
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows = np.flatnonzero((day >= first) & (day < last))
        level = c.weighted(rng, LEVEL_MIX[first >= REFORM], len(rows))
        for wanted in range(3):
            at = rows[level == wanted]
            choices = np.flatnonzero(listed.in_force(first) & (listed.level == wanted) & (listed.service < 2))
            if len(at):
                out[at] = choices[c.weighted(rng, popularity[choices], len(at))]
    return out


def _agency(listed: Catalogue, agencies: Agencies, units: Units, d: dict[str, Ints], u: Floats, day: Ints) -> Ints:
    """Position of the agency that handles each dossier on a day.

    From 1/7/2025 a district's work is the commune's where the procedure was handed down, else the department's.
    """
    department = np.array([int(r["so_nganh"]) for r in read("fields.csv")])[listed.field[d["procedure"]]]
    level, cell = listed.level[d["procedure"]], d["cell"]
    side = np.where(day >= REFORM, len(units.of.parts), units.part[cell])
    province = agencies.department[side, (day >= MERGER).astype(np.int64), department]
    commune = agencies.commune[units.resolve(cell, u, day)]
    successor = listed.replaced_by[d["procedure"]]
    handed_down = (successor >= 0) & (listed.level[successor] == 2)
    taken_over = np.where(handed_down, commune, province)
    district = np.where(day >= REFORM, taken_over, agencies.district[cell])
    return np.where(level == 0, province, np.where(level == 1, district, commune))


def _hand_over(
    listed: Catalogue,
    agencies: Agencies,
    units: Units,
    d: dict[str, Ints],
    u: Floats,
    finished: Ints,
    refused: Bools,
) -> dict[str, Ints]:
    """Who has a dossier in the end, and the local second from which on; NEVER where nobody else took it."""
    handler, handed = d["agency"].copy(), np.full(len(u), NEVER) * 86_400
    code = np.array([str(row["agency_code"]) for row in agencies.rows])
    for day in HAND_OVERS:
        flying = np.flatnonzero((d["day"] < day) & (finished >= day * 86_400) & ~refused)
        part = {name: values[flying] for name, values in d.items()}
        now = _agency(listed, agencies, units, part, u[flying], np.full(len(flying), day))
        moved = code[now] != code[handler[flying]]
        handler[flying] = now
        handed[flying[moved]] = day * 86_400 + 600
    return {"handler": handler, "handed": handed}


def _sequence(agency: Ints, day: Ints) -> Ints:
    """Position of each dossier among those of its agency and day, from 1."""
    group = day * 10_000 + agency
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(first, np.diff(np.r_[first, len(group)]))
    return rank + 1


def _quota(rng: np.random.Generator, where: Bools, share: float) -> Bools:
    """Exactly the share of the marked rows, drawn at random."""
    return _draw(rng, where, round(share * int(where.sum())))


def _draw(rng: np.random.Generator, where: Bools, count: int) -> Bools:
    """Exactly so many of the marked rows, drawn at random."""
    out = np.zeros(len(where), dtype=bool)
    out[rng.permutation(np.flatnonzero(where))[:count]] = True
    return out


def generate(
    seed: int,
    scale: float,
    units: Units,
    listed: Catalogue,
    agencies: Agencies,
    people: People,
    firms: Enterprises,
) -> Dossiers:
    """All dossiers up to the horizon in the order of reception."""
    rng = c.generator(seed, "dossiers")
    day, part = _receptions(rng, scale, units.of)
    n, first = len(day), part == 0
    cell = units.cells_by_part(rng, part, units.population)
    u = rng.random(n)
    popularity = popularity_of(rng, listed)
    procedure = _procedures(rng, listed, popularity, day)
    window, expected = first & (day >= WINDOW[0]) & (day <= WINDOW[1]), round(units.of.online * scale)
    surely, never = served(rng, listed, popularity, expected, window, procedure)
    places = {"day": day, "cell": cell, "procedure": procedure}
    agency = _agency(listed, agencies, units, places, u, day)
    quarter = first & (day >= QUARTER[0]) & (day <= QUARTER[1])
    usual = np.clip(0.93 + 0.00006 * (day - START), 0, 0.99)
    online = rng.random(n) < np.where(first & (day >= WINDOW[0]), ONLINE_2024, usual)
    drawn = _draw(rng, window & ~surely & ~never, expected - int(surely.sum()))
    online = np.where(window, surely | drawn, online)
    channel = np.where(online, 2, np.where(rng.random(n) < 0.9, 1, 3))
    refused = (rng.random(n) < REFUSED) & ~quarter
    times = _times(rng, listed, day, procedure, first, refused)
    over = _hand_over(listed, agencies, units, {**places, "agency": agency}, u, times["finished"], refused)
    done = (times["ending"] == 0) & ~refused
    digitised = np.where(quarter, _quota(rng, quarter, DIGITISED), rng.random(n) < 0.5 + 0.0004 * (day - START))
    electronic = np.where(
        quarter, _quota(rng, quarter & done, ELECTRONIC), rng.random(n) < 0.5 + 0.0004 * (day - START)
    )
    out = Dossiers(
        day=day,
        part=part,
        cell=cell,
        u=u,
        procedure=procedure,
        agency=agency,
        **over,
        sequence=_sequence(agency, day),
        channel=channel,
        firm=rng.random(n) < 0.14,
        person=people.heads_in(rng, cell),
        company=rng.integers(0, len(firms.code), n),
        refused=refused,
        digitised=digitised.astype(bool),
        electronic=electronic.astype(bool) & done,
        reused=digitised.astype(bool) & (rng.random(n) < REUSED),
        stored=digitised.astype(bool) & (rng.random(n) < STORED),
        plan=np.full(n, -1, dtype=np.int16),
        **times,
    )
    return _with_defects(seed, out, people, day <= QUARTER[1])


def _unlucky(draw: Floats, year_2024: Bools) -> Bools:
    """Which dossiers are late: a rate outside the year, an exact share of those in it."""
    late: Bools = (draw < OTHER_LATE) & ~year_2024
    within = np.flatnonzero(year_2024)
    late[within[np.argsort(draw[within], kind="stable")[: round(LATE * len(within))]]] = True
    return late


def _times(
    rng: np.random.Generator, listed: Catalogue, day: Ints, procedure: Ints, first: Bools, refused: Bools
) -> dict[str, Ints]:
    """Reception, supplement, due, end and return of each dossier, in local seconds.

    ending: 0 done, 1 withdrawn, 2 stopped. Clocks run in working days, calendar days or hours.
    """
    n = len(day)
    received = c.at(day, 27_000 + rng.integers(0, 30_000, n))
    limit, unit = listed.limit[procedure], listed.unit[procedure]
    wait = np.where(rng.random(n) < SUPPLEMENT, rng.integers(1, 8, n), 0)
    wait = np.where(refused | (limit < 3), 0, wait)
    ask_day = add_working_days(day, np.minimum(limit - 1, 1))
    answer_day = add_working_days(ask_day, wait)
    working = add_working_days(day, np.where(unit == 2, 1, limit) + wait)
    calendar = add_working_days(day + limit - 1, wait + 1)
    due_day = np.where(unit == 1, calendar, working)
    early = np.maximum((np.where(unit == 2, 1, limit) * rng.random(n) ** 1.3).astype(np.int64), 0)
    end_day = add_working_days(np.where(wait > 0, answer_day, day), np.where(wait > 0, np.maximum(early - 1, 0), early))
    end_day = np.minimum(end_day, due_day)
    # Promised in 2024, or so shortly before it that a late one would be settled in it.
    year_2024 = first & (due_day >= WINDOW[0] - 30) & (due_day < WINDOW[0] + 366)
    late = _unlucky(rng.random(n), year_2024)
    end_day = np.where(late, add_working_days(due_day, rng.integers(1, 12, n)), end_day)
    end_day = np.maximum(end_day, answer_day)
    finished = c.at(end_day, 32_000 + rng.integers(0, 27_000, n))
    finished = np.maximum(finished, received + 600)
    due = np.maximum(c.at(due_day, np.full(n, 61_200)), np.where(late, 0, finished))
    returned = c.at(add_working_days(end_day, rng.integers(0, 3, n)), np.full(n, 61_000))
    returned = np.maximum(returned, finished + 60)
    dice = rng.random(n)
    never = np.full(n, NEVER) * 86_400
    return {
        "ending": np.where(dice < WITHDRAWN, 1, np.where(dice < WITHDRAWN + STOPPED, 2, 0)),
        "received": received,
        "ask": np.where(wait > 0, np.maximum(c.at(ask_day, np.full(n, 58_000)), received + 60), never),
        "answer": np.where(wait > 0, np.maximum(c.at(answer_day, np.full(n, 30_000)), received + 120), never),
        "due": due,
        "finished": finished,
        "returned": returned,
    }


def _with_defects(seed: int, d: Dossiers, people: People, protected: Bools) -> Dossiers:
    listed = names.load()
    person = ~d.firm
    sound_times = ~d.refused
    # An end that nobody can read makes no dossier late: the day of the result tells as much.
    settled = (d.ending == 0) & ~d.refused & (d.returned <= d.due)
    surname = people.surname[d.person]
    eligible = {
        ("applicant_id", "ID_LEADING_ZERO_LOST"): person & (people.number[d.person] < 10**11),
        ("applicant_id", "ID_MALFORMED"): person,
        ("received_at", "DATE_MALFORMED"): sound_times,
        ("dossier_code", "DOSSIER_CODE_DATE"): sound_times,
        ("finished_at", "DATE_ORDER"): settled,
        ("finished_at", "DATE_IN_FUTURE"): settled,
        ("applicant_name", "NOT_NFC"): person & listed.decomposable()[surname],
        ("applicant_name", "LEGACY_LETTER"): person & listed.with_stroke()[surname],
    }
    blocked = protected & (d.day >= QUARTER[0])
    created = np.where(d.refused, d.day + 2, d.day)
    d.plan[:] = defects.plan(seed, DOSSIER, created, eligible, blocked)
    return d


def _document(digitised: int, reused: int, stored: int) -> str:
    link = '"/tp1.pdf"' if digitised else "null"
    return (
        f'[{{"MaThanhPhanHoSo":"TP1","DuongDanTaiTepTin":{link},"DuocSoHoa":"{digitised}",'
        f'"DuocTaiSuDung":"{reused}","DuocLayTuKhoDMQG":"{stored}"}}]'
    )


DOCUMENTS = c.texts([_document(0, 0, 0)] + [_document(1, n % 2, n // 2) for n in range(4)])
"""TaiLieuNop: nothing digitised, or digitised and (not used before, used before) x (not from the store, from it)."""


class DossierTable:
    """Dossiers as a deliverable table."""

    layout = DOSSIER

    def __init__(
        self,
        d: Dossiers,
        units: Units,
        listed: Catalogue,
        agencies: Agencies,
        people: People,
        firms: Enterprises,
    ) -> None:
        self.d, self.units, self.listed, self.agencies = d, units, listed, agencies
        self.people, self.firms = people, firms
        self.created, self.plan = d.day, d.plan
        self.fees = c.texts([_fee(int(f)) for f in listed.fee])
        self.codes = c.texts(listed.code)
        fields = [r["ten"] for r in read("fields.csv")]
        self.subjects = c.texts([f"Giải quyết hồ sơ về {fields[int(f)].lower()}" for f in listed.field])

    def _state(self, rows: Ints, as_of: int) -> dict[str, Ints]:
        """Status, and the time of the last happening up to the end of the day."""
        d, now = self.d, (as_of + 1) * 86_400 - 1
        received, finished, returned = d.received[rows], d.finished[rows], d.returned[rows]
        ask, answer = d.ask[rows], d.answer[rows]
        handling = received + np.where(c.mix(rows, 60) % 3 == 0, 72_000, 1_800)  # some wait until the next day
        normal = d.ending[rows] == 0
        finance = (c.mix(rows, 61) % 1000 < FINANCE * 1000) & (ask >= NEVER * 86_400)
        steps = [  # later rows win
            (2, received, np.ones(len(rows), bool)), (4, handling, handling < finished),
            (6, handling + 900, finance & (handling + 900 < finished)),
            (4, handling + 86_400, finance & (handling + 86_400 < finished)),
            (5, ask, ask < NEVER * 86_400), (4, answer, answer < NEVER * 86_400),
            (9, finished, normal), (10, returned, normal), (7, finished, d.ending[rows] == 1),
            (8, finished, d.ending[rows] == 2),
        ]  # fmt: skip
        status, last = np.full(len(rows), 2), received.copy()
        for code, moment, applies in steps:
            due = applies & (moment <= now) & (moment >= last)
            status, last = np.where(due, code, status), np.where(due, moment, last)
        last = np.where(d.handed[rows] <= now, np.maximum(last, d.handed[rows]), last)
        refused = d.refused[rows]
        over = refused & (d.day[rows] + 2 <= as_of)
        status = np.where(refused, np.where(over, 3, 1), status)
        last = np.where(
            refused, np.where(over, c.at(d.day[rows] + 2, 36_000 + c.mix(rows, 62) % 9_000), received), last
        )
        return {"status": status, "last": last, "now": np.full(len(rows), now)}

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the last happening up to the end of the day."""
        return self._state(rows, as_of)["last"]

    def payment(self, rows: Ints) -> Ints:
        """How the fee was paid online: 0 not, 1 national portal, 2 local portal."""
        fee = self.listed.fee[self.d.procedure[rows]] > 0
        return np.where(fee & (self.d.channel[rows] == 2), c.mix(rows, 63) % 3, 0)

    def code(self, rows: Ints) -> Column:
        """Dossier codes in the three forms in use over time."""
        d, day = self.d, self.d.day[rows]
        agency = c.take(self.agencies.code, d.agency[rows])
        short = c.join(agency, "-", c.date_text(day, "%y%m%d"), "-", c.digits(d.sequence[rows], 4))
        long = c.join(agency, "-", c.date_text(day, "%Y%m%d"), "-", c.digits(d.sequence[rows], 7))
        level = self.listed.level[d.procedure[rows]]
        side = c.take([part.agency_code for part in self.units.of.parts], d.part[rows])
        number = np.array([_number(str(r["agency_code"])) for r in self.agencies.rows])[d.agency[rows]]
        old = c.join(
            "000.00.",
            c.digits(number, 2),
            ".",
            side,
            "-",
            c.date_text(day, "%y%m%d"),
            "-",
            c.digits(d.sequence[rows], 4),
        )
        out = c.choose((level == 0) & (day <= OLD_CODES_UNTIL), old, short)
        return c.choose(day >= NEW_CODES, long, out)

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day."""
        d, people, n = self.d, self.people, len(rows)
        state = self._state(rows, as_of)
        status, now = state["status"], state["now"]
        firm, person = d.firm[rows], d.person[rows]
        never = NEVER * 86_400
        refused = d.refused[rows]
        ended = (d.finished[rows] <= now) & ~refused
        finished = np.where(ended, d.finished[rows], never)
        returned = np.where((status == 10), d.returned[rows], never)
        procedure = d.procedure[rows]
        online = d.channel[rows] == 2
        verified = online & (c.mix(rows, 67) % 10 < 8)
        submitted = d.received[rows] - c.mix(rows, 64) % 3_000
        names_ = c.choose(firm, self.firms.name(d.company[rows]), people.full_name(person))
        flag = ("0", "1")
        subject = c.join(c.take(self.subjects, procedure), " của ", names_)
        return {
            "dossier_code": self.code(rows),
            "procedure_code": c.take(self.codes, procedure),
            "agency_code": c.take(self.agencies.code, np.where(d.handed[rows] <= now, d.handler[rows], d.agency[rows])),
            "reception_agency_code": c.take(self.agencies.code, d.agency[rows]),
            "channel_code": c.blank(c.plain(d.channel[rows]), (d.channel[rows] == 1) & (c.mix(rows, 65) % 10 == 0)),
            "applicant_name": names_,
            "applicant_type": c.take(("1", "2"), firm.astype(np.int64)),
            "id_type": c.blank(c.constant("1", n), firm),
            "applicant_id": c.choose(
                firm, c.digits(self.firms.code[d.company[rows]], 10), people.resident_number(person)
            ),
            "phone": phones(c.mix(person, 66)),
            "email": c.blank(c.join("nguoidan", c.plain(person), "@example.vn"), ~online),
            "subject": subject,
            "submitted_at": c.stamp_compact(submitted),
            "received_at": c.stamp_compact(np.where(refused, never, d.received[rows])),
            "due_at": c.stamp_compact(np.where(refused, never, d.due[rows])),
            "finished_at": c.stamp_compact(finished),
            "returned_at": c.stamp_compact(returned),
            "status_code": c.plain(status),
            "digitised": c.take(flag, (d.digitised[rows] & ~refused).astype(np.int64)),
            "electronic_result": c.take(flag, (d.electronic[rows] & ended).astype(np.int64)),
            "vneid_account": c.take(flag, verified.astype(np.int64)),
            "database_code": c.blank(c.constant("DC", n), ~(verified & (c.mix(rows, 68) % 10 < 6))),
            "online_payment": c.plain(self.payment(rows)),
            "fees": c.take(self.fees, procedure),
            "documents": c.take(DOCUMENTS, self._documents(rows)),
            "supplements": self._supplements(rows, now),
            "updated_at": c.stamp_iso(updated),
        }

    def _documents(self, rows: Ints) -> Ints:
        """Position in DOCUMENTS: how far the components are digitised and used again."""
        d = self.d
        digitised = d.digitised[rows] & ~d.refused[rows]
        return np.where(digitised, 1 + d.reused[rows] + 2 * d.stored[rows], 0).astype(np.int64)

    def _supplements(self, rows: Ints, now: Ints) -> Column:
        """JSON lists with the request and, once answered, its end; empty for nearly all."""
        d = self.d
        asked = np.flatnonzero(d.ask[rows] <= now)
        out = np.full(len(rows), "[]", dtype=object)
        if len(asked):
            ask, answer = d.ask[rows[asked]], d.answer[rows[asked]]
            shown = np.where(answer <= now[asked], answer, NEVER * 86_400)
            start = c.stamp_compact(ask).to_pylist()
            stop = c.stamp_compact(shown).to_pylist()
            for place, number, a, b in zip(asked.tolist(), rows[asked].tolist(), start, stop, strict=True):
                state, end = ("1", f'"{b}"') if b else ("0", "null")
                out[place] = (
                    f'[{{"HoSoBoSungId":"BS{number}","NoiDungBoSung":"Bổ sung thành phần hồ sơ",'
                    f'"NgayBoSung":"{a}",'
                    f'"NgayTiepNhanBoSung":{end},"TrangThaiBoSung":"{state}"}}]'
                )
        return c.texts(out.tolist())


def _number(code: str) -> int:
    parts = code.split(".")
    return int(parts[1]) if len(parts) > 1 else 0


def _fee(amount: int) -> str:
    if not amount:
        return "[]"
    return (
        f'[{{"TenPhiLePhi":"Lệ phí giải quyết hồ sơ","MaPhiLePhi":"LP{amount // 10_000:02d}",'
        f'"HinhThucThu":"1",'
        f'"Gia":"{amount}","LoaiPhiLePhi":"1"}}]'
    )
