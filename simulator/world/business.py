"""Enterprises, their registration events and household businesses."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator import columns as c
from simulator import defects, names
from simulator.clock import HORIZON, REFORM, START
from simulator.columns import NEVER, Bools, Column, Floats, Ints
from simulator.layouts import ENTERPRISE, ENTERPRISE_EVENT, HOUSEHOLD_BUSINESS
from simulator.province import Part
from simulator.units import Units, read, unit_rows
from simulator.world.people import People
from simulator.world.residents import phones

HOUSEHOLD_TAX_PREFIX = "80"
"""Tax codes of persons begin with 8."""
LEGAL_FORMS = ("TNHH1TV", "TNHH2TV", "CTCP", "DNTN", "HD")
FORM_WEIGHTS = (56.0, 24.0, 13.0, 6.9, 0.1)
FORM_NAMES = (
    "Công ty TNHH MTV ",
    "Công ty TNHH ",
    "Công ty cổ phần ",
    "Doanh nghiệp tư nhân ",
    "Công ty hợp danh ",
)
STATUSES = (
    "Đang hoạt động", "Tạm ngừng kinh doanh", "Đã giải thể, phá sản, chấm dứt tồn tại",
    "Bị thu hồi Giấy chứng nhận đăng ký doanh nghiệp do vi phạm",
)  # fmt: skip
BRANDS = (
    "An Phát", "Hưng Thịnh", "Thành Công", "Minh Long", "Phú Quý", "Đại Lộc", "Tân Tiến", "Hoàng Gia",
    "Nam Việt",
    "Đông Á", "Thiên Phú", "Việt Thắng", "Phương Nam", "Kim Ngân", "Bình Minh", "Vàm Cỏ", "Đồng Tháp Mười",
    "Gia Phát", "Toàn Thắng", "Hồng Hà",
)  # fmt: skip
EVENT_TYPES = ("DKM", "TN", "HDTL", "GT", "TH", "CTC")
TAX_WEIGHTS = np.array([31, 29, 23, 19, 17, 13, 7, 5, 3])


def tax_codes(prefix: str, count: int) -> Ints:
    """The first `count` assignable ten-digit tax codes of a prefix (remainder 0 is not assignable)."""
    serial = np.arange(count * 2 + 40, dtype=np.int64)
    body = int(prefix) * 10**7 + serial * 7 + 3
    digits = (body[:, None] // 10 ** np.arange(8, -1, -1)) % 10
    rest = (digits * TAX_WEIGHTS).sum(axis=1) % 11
    out: Ints = (body * 10 + 10 - rest)[rest > 0][:count]
    return out


@dataclass(frozen=True)
class Enterprises:
    """Columns over all enterprises up to the horizon."""

    code: Ints
    founded: Ints
    form: Ints
    cell: Ints
    u: Floats
    industry: Ints
    capital: Ints
    owner: Ints
    suspended: Ints
    resumed: Ints
    ended: Ints
    revoked: Bools
    move: Ints
    move_cell: Ints
    move_u: Floats
    plan: NDArray[np.int16]

    def name(self, rows: Ints) -> Column:
        """Registered names; the serial keeps them apart."""
        brand = c.mix(rows, 21)
        first = c.take(BRANDS, brand % len(BRANDS))
        second = c.take(BRANDS, brand // 32 % len(BRANDS))
        return c.join(c.take(FORM_NAMES, self.form[rows]), first, " ", second, " ", c.plain(brand // 1024 % 900 + 100))

    def place(self, units: Units, rows: Ints, day: Ints, vintage: Ints) -> Ints:
        """Unit of the head office on `day`, in the vintage of another day."""
        moved = self.move[rows] <= day
        cell = np.where(moved, self.move_cell[rows], self.cell[rows])
        return units.resolve(cell, np.where(moved, self.move_u[rows], self.u[rows]), vintage)


def _founded(rng: np.random.Generator, scale: float, part: Part) -> Ints:
    base = round(part.enterprises * scale)
    years = (HORIZON - START) / 365.25
    new = round(part.enterprises_per_year * years * scale)
    old = START - 1 - (rng.random(base) ** 1.6 * 23 * 365).astype(np.int64)
    return np.concatenate([np.sort(old), START + np.sort(rng.integers(0, HORIZON - START, new))])


def _event_day(rng: np.random.Generator, after: Ints, rate: float) -> Ints:
    first = np.maximum(after, START)
    day = first + 1 + (rng.exponential(1, len(after)) / rate * 365.25).astype(np.int64)
    return np.where(day <= HORIZON, day, NEVER)


def generate(seed: int, scale: float, units: Units, people: People) -> Enterprises:
    """All enterprises up to the horizon, by tax prefix and day of registration."""
    rng = c.generator(seed, "enterprises")
    founded = [_founded(rng, scale, part) for part in units.of.parts]
    days = np.concatenate(founded)
    n = len(days)
    part = np.repeat(np.arange(len(founded)), [len(days) for days in founded])
    weight = units.population * np.where([k != "Xã" for k in units.kind[: units.cells]], 2.0, 1.0)
    cell = units.cells_by_part(rng, part, weight)
    industries = [float(r["trong_so"]) for r in read("vsic2018.csv")]
    suspended = _event_day(rng, days, 0.05)
    resumed = np.where(rng.random(n) < 0.6, suspended + rng.integers(60, 360, n), NEVER)
    ended = _event_day(rng, days, 0.035)
    ended = np.where(ended > np.minimum(suspended, NEVER - 400) + 400, ended, NEVER)
    ended = np.where((suspended == NEVER), _event_day(rng, days, 0.035), ended)
    move = _event_day(rng, days, 0.03)
    move = np.where((move < ended) & (move < suspended), move, NEVER)
    out = Enterprises(
        code=np.concatenate(
            [tax_codes(one.tax_prefix, len(days)) for one, days in zip(units.of.parts, founded, strict=True)]
        ),
        founded=days,
        form=c.weighted(rng, FORM_WEIGHTS, n),
        cell=cell,
        u=rng.random(n),
        industry=c.weighted(rng, industries, n),
        capital=(np.exp(rng.normal(21.3, 1.4, n)) // 10**8 + 1).astype(np.int64) * 10**8,
        owner=people.heads_in(rng, cell),
        suspended=suspended,
        resumed=np.where((suspended < NEVER) & (resumed <= HORIZON), resumed, NEVER),
        ended=ended,
        revoked=rng.random(n) < 0.3,
        move=move,
        move_cell=c.weighted(rng, weight, n),
        move_u=rng.random(n),
        plan=np.full(n, -1, dtype=np.int16),
    )
    quiet = (days < START) & (np.minimum(np.minimum(suspended, ended), move) == NEVER)
    codes = [r["ma"] for r in read("vsic2018.csv")]
    zero = np.array([code.startswith("0") for code in codes])[out.industry]
    normal = c.mix(np.arange(n), 24) % 12 > 0  # the others are written ddMMyyyy
    eligible = {
        ("enterprise_code", "TAX_CODE_CHECK_DIGIT"): quiet,
        ("main_industry", "CODE_LEADING_ZERO_LOST"): zero,
        ("founded_on", "DATE_EXCEL_SERIAL"): normal,
        ("founded_on", "DATE_MALFORMED"): normal,
        ("place_id", "CODE_SUPERSEDED"): days >= REFORM,
        ("representative_id", "ID_LEADING_ZERO_LOST"): people.number[out.owner] < 10**11,
    }
    out.plan[:] = defects.plan(seed, ENTERPRISE, np.where(days < START, 0, days), eligible)
    return out


class Places:
    """Ward ids inside the registration system: not GSO codes, though some look like one."""

    def __init__(self, units: Units) -> None:
        self.units = units
        n = len(units.code)
        plain_ids = 11_000 + np.arange(n) * 37 + np.arange(n) ** 2 % 29
        borrowed = np.roll(np.array([int(code) for code in units.code]), 101)
        unique = np.isin(np.arange(n) % 10, [0]) & (np.arange(n) < units.cells)
        chosen = np.where(unique, borrowed, plain_ids)
        taken = np.isin(plain_ids, borrowed[unique]) & ~unique
        self.ids = c.texts([str(i + 1 if t else i) for i, t in zip(chosen.tolist(), taken.tolist(), strict=True)])

    def rows(self, as_of: int) -> list[dict[str, str]]:
        """The code list as on the day, with contract column names."""
        iso = c.iso_day(as_of)
        ids = dict(zip(zip(self.units.code, self.units.district, strict=True), self.ids.to_pylist(), strict=True))
        province = self.units.of
        known = [r for r in unit_rows(iso, province) if r["cap"] == "XA"]
        names_of = {r["ma"]: r["ten"] for r in province.rows("units.csv") if r["cap"] == "HUYEN"}
        out = []
        for row in known:
            district = "0" if row["ma_cha"] == province.code else row["ma_cha"]
            out.append(
                {
                    "place_id": ids[row["ma"], district],
                    "place_name": row["ten"],
                    "district_name": names_of.get(district, ""),
                    "commune_code": row["ma"],
                    "valid_from": _dmy(row["tu_ngay"]),
                    "valid_to": _dmy(row["den_ngay"]),
                }
            )
        return out


def _dmy(iso: str) -> str:
    return "/".join(reversed(iso.split("-"))) if iso else ""


class EnterpriseTable:
    """The full list of enterprises as a deliverable table."""

    layout = ENTERPRISE

    def __init__(self, e: Enterprises, people: People, units: Units, places: Places) -> None:
        self.e, self.people, self.units, self.places = e, people, units, places
        self.created, self.plan = e.founded, e.plan
        self.industry = read("vsic2018.csv")

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the last registration event."""
        e = self.e
        days = [d[rows] for d in (e.founded, e.suspended, e.resumed, e.ended, e.move)]
        return c.at(np.max([np.where(d <= as_of, d, -NEVER) for d in days], axis=0), np.zeros(len(rows), np.int64))

    def status(self, rows: Ints, as_of: int) -> Ints:
        """Position in STATUSES on the day."""
        e = self.e
        paused = (e.suspended[rows] <= as_of) & (e.resumed[rows] > as_of)
        over = e.ended[rows] <= as_of
        return np.where(over, np.where(e.revoked[rows], 3, 2), np.where(paused, 1, 0))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day."""
        e, units = self.e, self.units
        last = updated // 86400
        kept_old = e.plan[rows] == defects.spec_number("enterprise", "place_id", "CODE_SUPERSEDED")
        place = e.place(units, rows, np.full(len(rows), as_of), np.where(kept_old, REFORM - 1, last))
        codes = [r["ma"] for r in self.industry]
        lines = [f"{r['ma']}: {r['ten'].replace(';', ',')}" for r in self.industry]
        second = c.mix(rows, 22) % len(codes)
        founded = c.date_text(e.founded[rows])
        compact = c.mix(rows, 24) % 12 == 0
        detail = c.take(names.DETAILS, c.mix(rows, 23) % len(names.DETAILS))
        tail = c.choose(
            c.take(units.columns["district"], place).to_numpy(zero_copy_only=False) == "0",
            c.constant(units.of.title, len(rows)),
            c.join(units.text("district_name", place), ", ", _province_name(units, place)),
        )
        return {
            "enterprise_code": c.digits(e.code[rows], 10),
            "enterprise_name": e.name(rows),
            "legal_form": c.take(LEGAL_FORMS, e.form[rows]),
            "founded_on": c.choose(compact, c.date_text(e.founded[rows], "%d%m%Y"), founded),
            "amended_on": c.date_text(last),
            "status_name": c.take(STATUSES, self.status(rows, as_of)),
            "capital_vnd": c.thousands(e.capital[rows]),
            "main_industry": c.take(codes, e.industry[rows]),
            "industries": c.join(c.take(lines, e.industry[rows]), ";", c.take(lines, second)),
            "place_id": c.take(self.places.ids, place),
            "address": c.join(detail, ", ", units.text("name", place), ", ", tail),
            "representative_name": self.people.full_name(e.owner[rows]),
            "representative_id": self.people.resident_number(e.owner[rows]),
            "phone": phones(c.mix(rows, 25)),
            "employees": c.plain(1 + c.mix(rows, 26) % 20 * (1 + c.mix(rows, 27) % 15)),
        }


def _province_name(units: Units, place: Ints) -> Column:
    """Title of the province, of the time before the reform, that each unit carries the code of."""
    position = {part.code: number for number, part in enumerate(units.of.parts)}
    number = np.array([position[code] for code in units.province])[place]
    return c.take([part.title for part in units.of.parts], number)


class EnterpriseEvents:
    """Registration events since 1/7/2023 in the order of their days."""

    layout = ENTERPRISE_EVENT

    def __init__(self, seed: int, e: Enterprises, units: Units, places: Places) -> None:
        self.e, self.units, self.places = e, units, places
        sets = [
            (0, np.where(e.founded >= START, e.founded, NEVER)), (1, e.suspended), (2, e.resumed),
            (3, np.where(e.revoked, NEVER, e.ended)), (4, np.where(e.revoked, e.ended, NEVER)), (5, e.move),
        ]  # fmt: skip
        kind = np.concatenate([np.full(int((d < NEVER).sum()), k) for k, d in sets])
        firm = np.concatenate([np.flatnonzero(d < NEVER) for _, d in sets])
        day = np.concatenate([d[d < NEVER] for _, d in sets])
        order = np.lexsort((kind, firm, day))
        self.kind, self.firm, self.created = kind[order], firm[order], day[order]
        self.plan = defects.plan(seed, ENTERPRISE_EVENT, self.created, {})

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the event's day."""
        return c.at(self.created[rows], np.zeros(len(rows), dtype=np.int64))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows."""
        e, firm, day = self.e, self.firm[rows], self.created[rows]
        place = e.place(self.units, firm, day, day)
        return {
            "event_no": c.join(c.date_text(day, "%Y"), "-", c.digits(rows + 1, 7)),
            "enterprise_code": c.digits(e.code[firm], 10),
            "event_type": c.take(EVENT_TYPES, self.kind[rows]),
            "event_date": c.date_text(day),
            "place_id": c.take(self.places.ids, place),
            "capital_vnd": c.thousands(e.capital[firm]),
        }


class HouseholdBusinesses:
    """Household business locations; some owners have several."""

    layout = HOUSEHOLD_BUSINESS

    def __init__(self, seed: int, scale: float, people: People, units: Units) -> None:
        self.people, self.units = people, units
        rng = c.generator(seed, "household businesses")
        base = round(units.of.household_businesses * scale)
        new = round(units.of.household_businesses_per_year * (HORIZON - START) / 365.25 * scale)
        old = START - 1 - (rng.random(base) ** 1.4 * 18 * 365).astype(np.int64)
        self.created = np.concatenate([np.sort(old), START + np.sort(rng.integers(0, HORIZON - START, new))])
        n = base + new
        self.cell = c.weighted(rng, units.population, n)
        self.u = rng.random(n)
        owner = people.heads_in(rng, self.cell)
        again = rng.random(n) < 0.05
        again[0] = False
        self.owner = np.where(again, np.roll(owner, 1), owner)
        listed = read("vsic2018.csv")
        self.codes = [r["ma"] for r in listed]
        weight = np.array([float(r["trong_so"]) * (3.0 if r["nganh_cap1"] in "AGIS" else 0.3) for r in listed])
        self.industry = c.weighted(rng, weight, n)
        self.closed = _event_day(rng, self.created, 0.06)
        self.tax = np.concatenate([tax_codes(HOUSEHOLD_TAX_PREFIX, n), np.zeros(0, dtype=np.int64)])
        zero = np.array([code.startswith("0") for code in self.codes])[self.industry]
        eligible = {
            ("closed_on", "DATE_ORDER"): self.closed < NEVER,
            ("main_industry", "CODE_LEADING_ZERO_LOST"): zero,
            ("owner_id", "ID_LEADING_ZERO_LOST"): people.number[self.owner] < 10**11,
        }
        appears = np.where(self.created < START, 0, self.created)
        self.plan = defects.plan(seed, HOUSEHOLD_BUSINESS, appears, eligible)

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of registration or closing."""
        closed = np.where(self.closed[rows] <= as_of, self.closed[rows], -NEVER)
        return c.at(np.maximum(self.created[rows], closed), np.zeros(len(rows), dtype=np.int64))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns; from 1/7/2025 the number is the owner's personal id."""
        people, units, n = self.people, self.units, len(rows)
        owner = self.owner[rows]
        place = units.resolve(self.cell[rows], self.u[rows], self.created[rows])
        closed = np.where(self.closed[rows] <= as_of, self.closed[rows], NEVER)
        own = people.resident_number(owner)
        letter = [chr(65 + i) for i in range(24)]
        district = c.mix(self.cell[rows] // 12, 1) % 24
        prefix = c.take([part.licence_prefix for part in units.of.parts], units.part[self.cell[rows]])
        listed = names.load()
        brand = c.mix(rows, 31) % len(listed.given)
        detail = c.take(names.DETAILS, c.mix(rows, 32) % len(names.DETAILS))
        return {
            "registration_no": c.join(prefix, c.take(letter, district), "8", c.digits(rows + 1, 6)),
            "business_code": c.choose(np.full(n, as_of >= REFORM), own, c.digits(self.tax[rows], 10)),
            "business_name": c.join("Hộ kinh doanh ", c.take(listed.given, brand), " ", c.plain(rows % 977 + 1)),
            "owner_name": people.full_name(owner),
            "owner_id": own,
            "registered_on": c.date_text(self.created[rows]),
            "closed_on": c.date_text(closed),
            "main_industry": c.take(self.codes, self.industry[rows]),
            "commune_code": units.text("code", place),
            "address": c.join(detail, ", ", units.text("name", place)),
        }
