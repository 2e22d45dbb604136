"""Agencies of the two old and the merged province, and the published list of administrative procedures.

The list is built so that it gives Long An's printed counts: in force on 14/3/2024 1,850 of which 1,578
online, on 31/12/2024 1,758 = 857 fully + 693 partly online + 208 information only.
"""

from dataclasses import dataclass

import numpy as np

from simulator import columns as c
from simulator.clock import MERGER, REFORM, SPLIT_2024
from simulator.columns import NEVER, Bools, Column, Ints
from simulator.layouts import AGENCY, PROCEDURE
from simulator.province import Province
from simulator.units import Units, read

FIRST_DAY = c.day_number("2021-01-01")
DEPARTMENTS = (
    "Sở Nội vụ", "Sở Tư pháp", "Sở Kế hoạch và Đầu tư", "Sở Tài chính", "Sở Công Thương",
    "Sở Nông nghiệp và Phát triển nông thôn", "Sở Giao thông vận tải", "Sở Xây dựng",
    "Sở Tài nguyên và Môi trường", "Sở Thông tin và Truyền thông", "Sở Lao động - Thương binh và Xã hội",
    "Sở Văn hóa, Thể thao và Du lịch", "Sở Khoa học và Công nghệ", "Sở Giáo dục và Đào tạo", "Sở Y tế",
    "Thanh tra tỉnh", "Văn phòng Ủy ban nhân dân tỉnh", "Ban Quản lý Khu kinh tế", "Sở Ngoại vụ",
    "Công an tỉnh", "Cục Thuế tỉnh",
)  # fmt: skip
"""19 departments and two offices of the central line; positions are the numbers in fields.csv."""
MERGED_ON_2025_03 = {3: 4, 9: 6, 7: 8, 10: 13, 11: 1, 19: 17}
"""Department that ended on 28/2/2025 -> department that took its work."""
NEW_NAMES = {6: "Sở Nông nghiệp và Môi trường", 21: "Thuế tỉnh"}
LEVELS = ("TINH", "HUYEN", "XA")
SERVICE = ("TT", "MP", "CC")
REPLACEMENT_DAYS = tuple(c.day_number(d) for d in ("2024-05-01", "2024-08-01", "2024-10-15"))
KEPT, ENDED, ADDED = (829, 671, 190), (40, 38, 82), (28, 22, 18)
"""(TT, MP, CC) of procedures in force on both count days, ended between them, added between them."""
LATE_DECISION, LATE_PUBLICATION = 0.04, 0.03
HANDED_DOWN = 260
"""District procedures that end on 30/6/2025 and are replaced by commune procedures the next day."""
VERBS = (
    "Đăng ký", "Cấp giấy phép", "Cấp lại giấy chứng nhận", "Thay đổi nội dung", "Gia hạn", "Thẩm định hồ sơ",
    "Xác nhận", "Điều chỉnh thông tin", "Thu hồi giấy phép", "Công nhận", "Thông báo", "Giải quyết chế độ",
)  # fmt: skip


@dataclass(frozen=True)
class Agencies:
    """Agency versions; index tables give the agency of a department, district or commune on a day."""

    rows: list[dict[str, str | int | None]]
    code: Column
    department: Ints
    district: Ints
    commune: Ints


@dataclass(frozen=True)
class Catalogue:
    """Procedures; days as numbers, replaced_by as a position or -1."""

    code: list[str]
    field: Ints
    level: Ints
    service: Ints
    limit: Ints
    unit: Ints
    fee: Ints
    paper: Bools
    decided: Ints
    published: Ints
    start: Ints
    end: Ints
    replaced_by: Ints

    def in_force(self, day: int) -> Bools:
        """True for the procedures in force on the day."""
        return (self.start <= day) & (self.end >= day)


def agencies(units: Units) -> Agencies:
    """All agencies over time. The index arrays hold positions in `rows`."""
    rows: list[dict[str, str | int | None]] = []

    def add(code: str, name: str, level: str, parent: str | None, commune: str | None, start: int, end: int) -> int:
        rows.append(
            {"agency_code": code, "agency_name": name, "level_code": level, "parent_code": parent,
             "commune_code": commune, "valid_from": start, "valid_to": end}
        )  # fmt: skip
        return len(rows) - 1

    parts, merged, title = units.of.parts, units.of.agency_code, units.of.title
    department = np.zeros((len(parts) + 1, 2, len(DEPARTMENTS) + 1), dtype=np.int64)  # the parts, then the merged one
    for side, (h, province) in enumerate((part.agency_code, part.title) for part in parts):
        add(h, f"Ủy ban nhân dân {province}", "TINH", None, None, FIRST_DAY, REFORM - 1)
        for number, name in enumerate(DEPARTMENTS, start=1):
            ends = number in MERGED_ON_2025_03
            renamed = number in NEW_NAMES
            last = MERGER - 1 if ends or renamed else REFORM - 1
            full = f"{name.removesuffix(' tỉnh')} {province}"
            first = add(f"{h}.{number}", full, "TINH", h, None, FIRST_DAY, last)
            department[side, :, number] = first
            if renamed:
                new = f"{NEW_NAMES[number].removesuffix(' tỉnh')} {province}"
                department[side, 1, number] = add(f"{h}.{number}", new, "TINH", h, None, MERGER, REFORM - 1)
        for old, new_number in MERGED_ON_2025_03.items():
            department[side, 1, old] = department[side, 1, new_number]
    district = _districts(units, add)
    commune = np.full(len(units.code), -1, dtype=np.int64)
    _legacy_communes(units, add, commune)
    add(merged, f"Ủy ban nhân dân {title}", "TINH", None, None, REFORM, NEVER)
    for number, name in enumerate(DEPARTMENTS, start=1):
        if number in MERGED_ON_2025_03:
            continue
        full = f"{NEW_NAMES.get(number, name).removesuffix(' tỉnh')} {title}"
        department[-1, :, number] = add(f"{merged}.{number}", full, "TINH", merged, None, REFORM, NEVER)
    for old, new_number in MERGED_ON_2025_03.items():
        department[-1, :, old] = department[-1, :, new_number]
    for i in range(units.cells, len(units.code)):
        code = f"{merged}.{101 + i - units.cells}"
        name = f"Trung tâm Phục vụ hành chính công {units.name[i].lower()[:1]}{units.name[i][1:]}"
        commune[i] = add(code, name, "XA", merged, units.code[i], REFORM, NEVER)
    codes = c.texts([str(row["agency_code"]) for row in rows])
    return Agencies(rows, codes, department, district, commune)


def _districts(units: Units, add) -> Ints:  # type: ignore[no-untyped-def]
    out = np.full(units.cells, -1, dtype=np.int64)
    seen: dict[str, int] = {}
    for cell in range(units.cells):
        name = units.district[cell]
        if name not in seen:
            h = units.of.parts[units.part[cell]].agency_code
            code = f"{h}.{_district_number(units, cell)}"
            title = f"Bộ phận Tiếp nhận và Trả kết quả {units.district_name[cell]}"
            seen[name] = add(code, title, "HUYEN", h, None, FIRST_DAY, REFORM - 1)
        out[cell] = seen[name]
    return out


def _district_number(units: Units, cell: int) -> int:
    """Departments have the numbers up to 30; districts follow, in the order of their codes."""
    same = np.flatnonzero(units.part == units.part[cell])
    return 31 + int(units.district[cell]) - min(int(units.district[i]) for i in same)


def _legacy_communes(units: Units, add, commune: Ints) -> None:  # type: ignore[no-untyped-def]
    counter: dict[str, int] = {}
    for cell in range(units.cells):
        h = units.of.parts[units.part[cell]].agency_code
        parent = f"{h}.{_district_number(units, cell)}"
        counter[parent] = counter.get(parent, 0) + 1
        split = units.edges_2024[cell][0] < 2 or units.parts_2024[cell][0] != cell
        end = SPLIT_2024 - 1 if split else REFORM - 1
        name = f"Ủy ban nhân dân {units.name[cell][:1].lower()}{units.name[cell][1:]}"
        code = f"{parent}.{counter[parent]}"
        commune[cell] = add(code, name, "XA", parent, units.code[cell], FIRST_DAY, end)


def catalogue(seed: int, province: Province) -> Catalogue:
    """The list of procedures over time; not scaled."""
    rng = c.generator(seed, "procedures")
    service = np.concatenate([np.repeat(np.arange(3), counts) for counts in (KEPT, ENDED, ADDED)])
    kept, ended, added = sum(KEPT), sum(ENDED), sum(ADDED)
    n = kept + ended + added
    shuffled = [rng.permutation(part) for part in np.split(service, [kept, kept + ended])]
    service = np.concatenate(shuffled)
    fields = read("fields.csv")
    field = c.weighted(rng, [float(r["trong_so"]) + 4 for r in fields], n)
    start = np.full(n, FIRST_DAY) + rng.integers(0, 700, n)
    end = np.full(n, NEVER)
    replaced_by = np.full(n, -1)
    waves = np.array(REPLACEMENT_DAYS)[rng.integers(0, 3, added)]
    old, new = np.arange(kept, kept + ended), np.arange(kept + ended, n)
    start[new] = waves
    pairs = min(ended, added)
    field[old[:pairs]] = field[new[:pairs]]
    replaced_by[old[:pairs]] = new[:pairs]
    end[old[:pairs]] = waves[:pairs] - 1
    end[old[pairs:]] = np.array(REPLACEMENT_DAYS)[rng.integers(0, 3, ended - pairs)] - 1
    level = np.array([LEVELS.index(r["cap"]) for r in fields])[field]
    district = np.flatnonzero((level == 1) & (end == NEVER))[:HANDED_DOWN]
    end[(level == 1) & (end == NEVER)] = REFORM - 1
    down = len(district)
    replaced_by[district] = n + np.arange(down)
    limits = np.array((1, 1, 2, 3, 3, 5, 7, 10, 15, 20, 30))
    total = n + down
    unit = c.weighted(rng, (80, 10, 10), total)
    fee = np.where(rng.random(total) < 0.3, rng.integers(1, 40, total) * 10_000, 0)
    start = np.concatenate([start, np.full(down, REFORM)])
    decided, published = _decided(c.generator(seed, "decisions"), start)
    return Catalogue(
        code=_codes(rng, total, province.parts[0].agency_code),
        field=np.concatenate([field, field[district]]),
        level=np.concatenate([level, np.full(down, 2)]),
        service=np.concatenate([service, service[district]]),
        limit=limits[rng.integers(0, len(limits), total)],
        unit=unit,
        fee=fee,
        paper=rng.random(total) < 0.45,
        decided=decided,
        published=published,
        start=start,
        end=np.concatenate([end, np.full(down, NEVER)]),
        replaced_by=np.concatenate([replaced_by, np.full(down, -1)]),
    )


def _decided(rng: np.random.Generator, start: Ints) -> tuple[Ints, Ints]:
    """Days of the decision and of its publication: mostly in good time before the law takes effect."""
    n = len(start)
    decided = start - np.where(rng.random(n) < LATE_DECISION, rng.integers(0, 4, n), rng.integers(20, 40, n))
    wait = np.where(rng.random(n) < LATE_PUBLICATION, rng.integers(20, 40, n), rng.integers(0, 4, n))
    return decided, decided + wait


def _codes(rng: np.random.Generator, count: int, agency_code: str) -> list[str]:
    serial = 1000 + np.sort(rng.choice(13_000, count, replace=False))
    head = rng.permutation(np.repeat(np.arange(1, 4), -(-count // 3)))[:count]
    local = rng.random(count) < 0.3
    suffix = f".000.00.00.{agency_code}"
    return [
        f"{h}.{s:06d}{suffix if own else ''}"
        for h, s, own in zip(head.tolist(), rng.permutation(serial).tolist(), local.tolist(), strict=True)
    ]


class AgencyTable:
    """Agencies as a snapshot: an end shows once it has come."""

    layout = AGENCY

    def __init__(self, listed: Agencies) -> None:
        self.rows = listed.rows

    def records(self, as_of: int) -> list[dict[str, str | None]]:
        """Contract rows as on the day."""
        out = []
        for row in self.rows:
            start, end = int(row["valid_from"] or 0), int(row["valid_to"] or 0)
            if start > as_of:
                continue
            dates = {"valid_from": c.iso_day(start), "valid_to": c.iso_day(end) if end < as_of else None}
            out.append({**{k: None if v is None else str(v) for k, v in row.items()}, **dates})
        return out


class ProcedureTable:
    """The published list of procedures as a snapshot."""

    layout = PROCEDURE

    def __init__(self, listed: Catalogue) -> None:
        self.listed = listed

    def records(self, as_of: int) -> list[dict[str, str | None]]:
        """Contract rows as on the day: an end and a replacement show once they have come."""
        p, fields = self.listed, read("fields.csv")
        out: list[dict[str, str | None]] = []
        for i in np.flatnonzero(p.start <= as_of).tolist():
            over = int(p.end[i]) < as_of
            field = fields[int(p.field[i])]
            new = int(p.replaced_by[i])
            out.append(
                {
                    "procedure_code": p.code[i],
                    "procedure_name": _name(i, field["ten"]),
                    "field_code": field["ma_linh_vuc"],
                    "field_name": field["ten"],
                    "level_code": LEVELS[int(p.level[i])],
                    "service_level": SERVICE[int(p.service[i])],
                    "time_limit": str(int(p.limit[i]) * (8 if p.unit[i] == 2 else 1)),
                    "time_unit": ("NLV", "N", "G")[int(p.unit[i])],
                    "fee_vnd": str(int(p.fee[i])) if p.fee[i] else ("0" if i % 2 else None),
                    "paper_result": "1" if p.paper[i] else "0",
                    "decision_no": f"{100 + i % 9000}/QĐ-UBND",
                    "decided_on": _dmy(int(p.decided[i])),
                    "published_on": _dmy(int(p.published[i])) if int(p.published[i]) <= as_of else None,
                    "basis_effective_on": _dmy(int(p.start[i])),
                    "effective_from": _dmy(int(p.start[i])),
                    "effective_to": _dmy(int(p.end[i])) if over else None,
                    "replaced_by": p.code[new] if over and new >= 0 else None,
                }
            )
        return out


def _name(position: int, field: str) -> str:
    verb, variant = VERBS[position % len(VERBS)], position // len(VERBS) + 1
    return f"{verb} {field[:1].lower()}{field[1:]} (trường hợp {variant})"


def _dmy(day: int) -> str:
    return "/".join(reversed(c.iso_day(day).split("-")))
