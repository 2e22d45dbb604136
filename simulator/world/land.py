"""Parcels, their uses and the rights on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator import columns as c
from simulator import defects, geodesy, names
from simulator.clock import HORIZON, REFORM, START
from simulator.columns import NEVER, Bools, Column, Floats, Ints
from simulator.layouts import LAND_RIGHT, PARCEL, PARCEL_USE
from simulator.units import Units, read
from simulator.world.business import Enterprises
from simulator.world.people import People
from simulator.world.residents import id_cards

PER_SHEET = 260
SPLIT_RATE, CHANGE_RATE, RECODED_SHARE = 0.004, 0.06, 0.78
SURVEYED_SHARE = 40
"""Of a hundred parcels, those whose boundary was surveyed digitally: the others have a point only."""
RECODING_DAYS = 153
"""Days from 1/7/2025 over which RECODED_SHARE of the parcels get their present commune."""
_TYPES = read("land_types.csv")
LAND_TYPES = [r["ma"] for r in _TYPES]
COUNTRY_MIX = [float(r["ty_trong_xa"]) for r in _TYPES]
TOWN_MIX = [float(r["ty_trong_do_thi"]) for r in _TYPES]
MEDIAN_AREA = [float(r["dien_tich_m2"]) for r in _TYPES]
RESIDENTIAL = ("ONT", "ODT")
ORIGINS = ("1", "2", "3", "4", "5", "10", "11", "12", "13")
ORIGIN_WEIGHTS = (66.0, 8.0, 8.0, 3.0, 5.0, 2.0, 2.0, 3.0, 3.0)
HOLDERS = ("CN", "HGD", "TC")
FIRST_DIGITAL = c.day_number("2009-01-01")
EIGHT_DIGITS = c.day_number("2025-01-01")
SERIAL_LETTERS = "ABCDEGHKLMNPQSTVX"


@dataclass(frozen=True)
class Parcels:
    """Columns over all parcels up to the horizon. Children of a split follow the original parcels."""

    uuid: NDArray[np.uint8]
    cell: Ints
    u: Floats
    number: Ints
    kind: Ints
    kind_2: Ints
    kind_3: Ints
    area: Ints
    longitude: Floats
    latitude: Floats
    parent: Ints
    created: Ints
    ended: Ints
    change: Ints
    recode: Ints
    disputed: Bools
    plan: NDArray[np.int16]

    def count_of_uses(self) -> Ints:
        """1 to 3 uses per parcel."""
        return 1 + (self.kind_2 >= 0).astype(np.int64) + (self.kind_3 >= 0)


def _second(rows: Ints, salt: int) -> Ints:
    return 27_000 + c.mix(rows, salt) % 32_400


def _happening(rng: np.random.Generator, first: Ints, rate: float) -> Ints:
    day = np.maximum(first, START) + 1 + (rng.exponential(1, len(first)) / rate * 365.25).astype(np.int64)
    return np.where(day <= HORIZON, day, NEVER)


def generate(seed: int, scale: float, units: Units) -> Parcels:
    """All parcels up to the horizon, by cell, then the children of splits by day."""
    rng = c.generator(seed, "parcels")
    cell = np.sort(
        np.concatenate(
            [
                c.weighted(rng, np.where(units.part == number, units.population, 0.0), round(part.parcels * scale))
                for number, part in enumerate(units.of.parts)
            ]
        )
    )
    n = len(cell)
    town = np.array([k != "Xã" for k in units.kind[: units.cells]])[cell]
    kind = np.where(town, c.weighted(rng, TOWN_MIX, n), c.weighted(rng, COUNTRY_MIX, n))
    home = np.isin(kind, [LAND_TYPES.index(t) for t in RESIDENTIAL])
    garden, crop = LAND_TYPES.index("CLN"), LAND_TYPES.index("HNK")
    dice = rng.random(n)
    kind_2 = np.where(home & (dice < 0.72), garden, -1)
    kind_3 = np.where(home & (dice < 0.11), crop, -1)
    area = np.array(MEDIAN_AREA)[kind] * np.exp(rng.normal(0, 0.75, n))
    area = np.where(kind_2 >= 0, area * 3.4, area)
    created = FIRST_DIGITAL + (rng.random(n) * (START - FIRST_DIGITAL - 1)).astype(np.int64)
    ended = _happening(rng, created, SPLIT_RATE)
    ended = np.where(kind_3 < 0, ended, NEVER)
    change = _happening(rng, created, CHANGE_RATE)
    recode = np.where(rng.random(n) < RECODED_SHARE, REFORM + rng.integers(0, RECODING_DAYS, n), NEVER)
    decimetres = np.maximum((area * 10).astype(np.int64), 300)
    first = np.r_[0, np.flatnonzero(cell[1:] != cell[:-1]) + 1]
    number = np.arange(n) - np.repeat(first, np.diff(np.r_[first, n]))
    parents = np.flatnonzero(ended < NEVER)
    parents = np.repeat(parents[np.argsort(ended[parents], kind="stable")], 2)
    second = np.arange(len(parents)) % 2
    half = np.where(second == 0, decimetres[parents] * 2 // 5, decimetres[parents] - decimetres[parents] * 2 // 5)
    counts = np.bincount(cell, minlength=units.cells)
    child_number = counts[cell[parents]] + _rank(cell[parents])
    m, total = len(parents), n + len(parents)
    all_cells = np.concatenate([cell, cell[parents]])
    longitude, latitude = _points(rng, units, all_cells, parents, n)
    none = np.full(m, NEVER)
    parcels = Parcels(
        uuid=c.uuids(rng, total),
        cell=all_cells,
        u=np.concatenate([rng.random(n), np.zeros(m)]),
        number=np.concatenate([number, child_number]),
        kind=np.concatenate([kind, kind[parents]]),
        kind_2=np.concatenate([kind_2, np.where(second == 0, kind_2[parents], -1)]),
        kind_3=np.concatenate([kind_3, np.full(m, -1)]),
        area=np.concatenate([decimetres, half]),
        longitude=longitude,
        latitude=latitude,
        parent=np.concatenate([np.full(n, -1), parents]),
        created=np.concatenate([created, ended[parents]]),
        ended=np.concatenate([ended, none]),
        change=np.concatenate([np.where(change < ended, change, NEVER), none]),
        recode=np.concatenate([np.where(recode < ended, recode, NEVER), none]),
        disputed=rng.random(total) < 0.004,
        plan=np.full(total, -1, dtype=np.int16),
    )
    parcels.u[n:] = parcels.u[parents]
    return _with_defects(seed, parcels)


def _rank(groups: Ints) -> Ints:
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(groups) else np.zeros(0, np.int64)
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(first, np.diff(np.r_[first, len(groups)]))
    return rank


def _points(rng: np.random.Generator, units: Units, cell: Ints, parents: Ints, n: int) -> tuple[Floats, Floats]:
    """Longitude and latitude within about two kilometres of the cell's point; children beside the parent."""
    radius, angle = np.sqrt(rng.random(len(cell))) * 0.018, rng.random(len(cell)) * 2 * np.pi
    lon = units.longitude[cell] + radius * np.cos(angle)
    lat = units.latitude[cell] + radius * np.sin(angle)
    near = rng.normal(0, 0.0001, (2, len(parents)))
    lon[n:], lat[n:] = lon[parents] + near[0], lat[parents] + near[1]
    return lon, lat


def _with_defects(seed: int, p: Parcels) -> Parcels:
    original = p.parent < 0
    lineage = np.zeros(len(p.cell), dtype=bool)
    lineage[p.parent[~original]] = True
    early = np.where(p.created < START, 0, p.created)
    recoded = (p.recode < NEVER) & original
    eligible = {
        ("dien_tich", "AREA_MISMATCH"): original & ~lineage,
        ("thua_goc_id", "REFERENCE_MISSING"): ~original,
        ("thoi_diem_ket_thuc", "DATE_ORDER"): lineage,
        ("xa_id", "CODE_SUPERSEDED"): recoded & ~lineage & (p.change == NEVER),
        ("x_north", "AXES_SWAPPED"): original,
        ("x_north", "COORDINATES_MISSING"): original,
        ("x_north", "POINT_OUTSIDE_COMMUNE"): original,
        ("ranh_gioi", "GEOMETRY_AREA_MISMATCH"): original & surveyed(np.arange(len(p.cell))) & (p.area >= 2_000),
        ("ranh_gioi", "GEOMETRY_MALFORMED"): original & surveyed(np.arange(len(p.cell))),
        ("dia_chi", "NOT_NFC"): original,
    }
    p.plan[:] = defects.plan(seed, PARCEL, early, eligible)
    return p


class ParcelTable:
    """Parcel versions as a deliverable table."""

    layout = PARCEL

    def __init__(self, parcels: Parcels, units: Units) -> None:
        self.p, self.units = parcels, units
        self.created, self.plan = parcels.created, parcels.plan

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the last happening up to the day."""
        p = self.p
        days = [d[rows] for d in (p.created, p.change, p.recode, p.ended)]
        last = np.max([np.where(d <= as_of, d, -NEVER) for d in days], axis=0)
        return c.at(last, np.where(last == p.created[rows], _second(rows, 42), _second(rows, 41)))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day; commune in the vintage of the last change."""
        p, units, n = self.p, self.units, len(rows)
        last = updated // 86400
        recoded = last >= REFORM
        kept_old = p.plan[rows] == defects.spec_number("parcel", "xa_id", "CODE_SUPERSEDED")
        former = units.resolve(p.cell[rows], p.u[rows], np.minimum(last, REFORM - 1))
        present = units.resolve(p.cell[rows], p.u[rows], last)
        shown = np.where(kept_old, former, present)
        part = units.part[p.cell[rows]]
        meridian = np.array([one.central_meridian for one in units.of.parts])[part]
        north, east = geodesy.transverse_mercator(p.latitude[rows], p.longitude[rows], meridian)
        ended = p.ended[rows] <= as_of
        legal = c.mix(rows, 43) % 20 == 0
        measured = area_text(p.area[rows])
        parent = p.parent[rows]
        sheet, position = p.number[rows] // PER_SHEET + 1, p.number[rows] % PER_SHEET + 1
        place = c.join(c.take(("Ấp ", "Khu phố "), c.mix(rows, 44) % 2), c.plain(c.mix(rows, 45) % 9 + 1))
        return {
            "thua_dat_id": c.uuid_text(p.uuid[rows]),
            "ma_dinh_danh_thua": c.blank(geodesy.geohash12(p.latitude[rows], p.longitude[rows]), ~recoded),
            "xa_id": units.text("code", shown),
            "xa_id_cu": c.blank(units.text("code", former), ~recoded | kept_old),
            "so_to": c.plain(sheet),
            "so_thua": c.plain(position),
            "dien_tich": measured,
            "dien_tich_phap_ly": c.choose(legal, area_text(p.area[rows] // 10 * 10), measured),
            "dia_chi": c.join(place, ", ", units.text("name", shown)),
            "trang_thai": c.plain((~ended).astype(np.int64)),
            "thua_goc_id": c.blank(c.uuid_text(p.uuid[np.maximum(parent, 0)]), parent < 0),
            "x_north": _metres(north),
            "y_east": _metres(east),
            "kinh_tuyen_truc": c.take([one.meridian for one in units.of.parts], part),
            "ranh_gioi": _boundary(rows, north, east, p.area[rows]),
            "dang_tranh_chap": c.take(("f", "t"), p.disputed[rows].astype(np.int64)),
            "thoi_diem_khoi_tao": c.stamp_iso(c.at(p.created[rows], _second(rows, 42)), ""),
            "thoi_diem_ket_thuc": c.stamp_iso(
                c.at(np.where(ended, p.ended[rows], NEVER), np.zeros(n, np.int64) + 61_200), ""
            ),
            "thoi_diem_cap_nhat": c.stamp_iso(updated, ""),
        }


def surveyed(rows: Ints) -> Bools:
    """True where the boundary was surveyed."""
    return c.mix(rows, 51) % 100 < SURVEYED_SHARE


def _boundary(rows: Ints, north: Floats, east: Floats, decimetres: Ints) -> Column:
    """A rectangle of the parcel's area around its point, turned by any angle, as WKT; null where it was not surveyed."""
    there = surveyed(rows)
    turn = c.mix(rows[there], 52) % 628 / 100
    width = np.sqrt(decimetres[there] / 10 * (1 + c.mix(rows[there], 53) % 300 / 100))
    height = decimetres[there] / 10 / width
    corners = [
        c.join(
            _metres(east[there] + (a * width * np.cos(turn) - b * height * np.sin(turn)) / 2),
            " ",
            _metres(north[there] + (a * width * np.sin(turn) + b * height * np.cos(turn)) / 2),
        )
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    parts: list[Column | str] = [x for corner in corners for x in (corner, ",")]
    ring = c.join("POLYGON((", *parts, corners[0], "))")
    return c.take(ring, np.cumsum(there) - 1, ~there)


def area_text(decimetres: Ints) -> Column:
    """Tenths of a square metre as m² with one decimal."""
    return c.join(c.plain(decimetres // 10), ".", c.plain(decimetres % 10))


def _metres(values: Floats) -> Column:
    centimetres = np.round(values * 100).astype(np.int64)
    return c.join(c.plain(centimetres // 100), ".", c.digits(centimetres % 100, 2))


def _last_content_change(p: Parcels, parcel: Ints, as_of: int) -> Ints:
    change = np.where(p.change[parcel] <= as_of, p.change[parcel], -NEVER)
    return np.maximum(p.created[parcel], change)


class UseTable:
    """Uses of parcels, 1 to 3 each."""

    layout = PARCEL_USE

    def __init__(self, seed: int, parcels: Parcels) -> None:
        self.p = parcels
        uses = parcels.count_of_uses()
        rng = c.generator(seed, "parcel uses")
        self.parcel = np.repeat(np.arange(len(uses)), uses)
        self.order = np.arange(len(self.parcel)) - np.repeat(np.cumsum(uses) - uses, uses)
        self.uuid = c.uuids(rng, len(self.parcel))
        self.origin = c.weighted(rng, ORIGIN_WEIGHTS, len(self.parcel))
        self.created = parcels.created[self.parcel]
        self.term = self.created + rng.integers(20 * 365, 50 * 365, len(self.parcel))
        home = np.isin(self._kind(np.arange(len(self.parcel))), [LAND_TYPES.index(t) for t in RESIDENTIAL])
        self.lasting = home | (rng.random(len(self.parcel)) < 0.35)
        single = (uses == 1)[self.parcel]
        eligible = {
            ("thua_dat_id", "REFERENCE_MISSING"): single,
            ("thoi_han", "DATE_MALFORMED"): ~self.lasting,
            ("thoi_han", "DATE_EXCEL_SERIAL"): ~self.lasting,
        }
        early = np.where(self.created < START, 0, self.created)
        self.plan = defects.plan(seed, PARCEL_USE, early, eligible, parcels.plan[self.parcel] >= 0)

    def _kind(self, rows: Ints) -> Ints:
        p, parcel, order = self.p, self.parcel[rows], self.order[rows]
        return np.where(order == 0, p.kind[parcel], np.where(order == 1, p.kind_2[parcel], p.kind_3[parcel]))

    def area(self, rows: Ints) -> Ints:
        """Tenths of m²: all of it, 30/70 %, or 30/60/10 %; a quarter too much where the sum shall differ."""
        p, parcel, order = self.p, self.parcel[rows], self.order[rows]
        whole = p.area[parcel]
        house, rest = whole * 3 // 10, whole // 10
        middle = np.where(p.kind_3[parcel] >= 0, whole - house - rest, whole - house)
        out = np.where(order == 2, rest, np.where(order == 1, middle, np.where(p.kind_2[parcel] >= 0, house, whole)))
        wrong = p.plan[parcel] == defects.spec_number("parcel", "dien_tich", "AREA_MISMATCH")
        return np.where(wrong, out * 5 // 4, out)

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the last change of content."""
        return c.at(_last_content_change(self.p, self.parcel[rows], as_of), _second(rows, 46))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day."""
        lasting = self.lasting[rows]
        return {
            "muc_dich_id": c.uuid_text(self.uuid[rows]),
            "thua_dat_id": c.uuid_text(self.p.uuid[self.parcel[rows]]),
            "so_thu_tu": c.plain(self.order[rows] + 1),
            "loai_dat": c.take(LAND_TYPES, self._kind(rows)),
            "dien_tich": area_text(self.area(rows)),
            "nguon_goc": c.take(ORIGINS, self.origin[rows]),
            "thoi_han": c.choose(lasting, c.constant("Lâu dài", len(rows)), c.date_text(self.term[rows])),
            "thoi_diem_cap_nhat": c.stamp_iso(updated, ""),
        }


class RightTable:
    """Right holders of parcels, one or two each."""

    layout = LAND_RIGHT

    def __init__(self, seed: int, parcels: Parcels, people: People, firms: Enterprises, units: Units) -> None:
        self.p, self.people, self.firms, self.units = parcels, people, firms, units
        rng = c.generator(seed, "land rights")
        count = 1 + (rng.random(len(parcels.cell)) < 0.2)
        self.parcel = np.repeat(np.arange(len(count)), count)
        n = len(self.parcel)
        self.uuid = c.uuids(rng, n)
        kind = parcels.kind[self.parcel]
        firm_land = np.isin(kind, [LAND_TYPES.index(t) for t in ("SKC", "SKK", "TMD", "DGD", "DYT", "TSC")])
        self.holder = np.where(firm_land | (rng.random(n) < 0.02), 2, (rng.random(n) < 0.13).astype(np.int64))
        self.person = people.heads_in(rng, parcels.cell[self.parcel])
        self.firm = rng.integers(0, int((firms.founded < START).sum() // 2), n)
        self.created = parcels.created[self.parcel]
        listed = names.load()
        human = self.holder < 2
        adult = people.birth[self.person] < c.day_number("1999-01-01")
        self.old_card = human & adult & (rng.random(n) < 0.15)
        numbered = human & ~self.old_card
        eligible = {
            ("so_dinh_danh", "ID_LEADING_ZERO_LOST"): numbered & (people.number[self.person] < 10**11),
            ("so_dinh_danh", "ID_MALFORMED"): numbered,
            ("so_dinh_danh", "ID_BIRTH_YEAR_MISMATCH"): numbered,
            ("so_dinh_danh", "TAX_CODE_CHECK_DIGIT"): ~human,
            ("ten_chu", "NOT_NFC"): human & listed.decomposable()[people.surname[self.person]],
            ("ten_chu", "LEGACY_LETTER"): human & listed.with_stroke()[people.surname[self.person]],
        }
        early = np.where(self.created < START, 0, self.created)
        self.plan = defects.plan(seed, LAND_RIGHT, early, eligible)

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the last change of content."""
        return c.at(_last_content_change(self.p, self.parcel[rows], as_of), _second(rows, 47))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day; a change of the parcel brings a new certificate."""
        people, person, firm = self.people, self.person[rows], self.firm[rows]
        human, old = self.holder[rows] < 2, self.old_card[rows]
        issued = updated // 86400
        salt = c.mix(rows, 48) + issued
        letters = c.join(c.take(list(SERIAL_LETTERS), salt % 17), c.take(list(SERIAL_LETTERS), salt // 17 % 17))
        serial = c.choose(issued >= EIGHT_DIGITS, c.digits(salt // 289, 8), c.digits(salt // 289, 6))
        year = people.birth[person].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        full = c.mix(rows, 49) % 4 == 0
        born = c.choose(full, c.date_text(people.birth[person]), c.plain(year))
        numbers = c.choose(old, id_cards(people, self.units, person), people.resident_number(person))
        detail = c.take(names.DETAILS, c.mix(person, 50) % len(names.DETAILS))
        return {
            "quyen_id": c.uuid_text(self.uuid[rows]),
            "thua_dat_id": c.uuid_text(self.p.uuid[self.parcel[rows]]),
            "loai_chu": c.take(HOLDERS, self.holder[rows]),
            "ten_chu": c.choose(human, people.full_name(person), self.firms.name(firm)),
            "so_dinh_danh": c.choose(human, numbers, c.digits(self.firms.code[firm], 10)),
            "nam_sinh": c.blank(born, ~human),
            "dia_chi": detail,
            "so_phat_hanh": c.join(letters, " ", serial),
            "ngay_cap": c.date_text(issued),
            "thoi_diem_cap_nhat": c.stamp_iso(updated, ""),
        }
