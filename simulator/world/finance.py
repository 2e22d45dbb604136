"""The state budget. Not scaled, and every amount is made up; together they come near what the press told of the
merged province (revenue of 37,413 tỷ đồng by 18/9/2025). The district level ends on 30/6/2025 and so do its lines.

Amounts stand in the unit of account of whoever typed them: đồng, nghìn đồng, triệu đồng or tỷ đồng. Transfers between levels are
left out, so levels add up.
"""

from dataclasses import dataclass

import numpy as np

from simulator import columns as c
from simulator import defects
from simulator.clock import month_start
from simulator.columns import Column, Ints
from simulator.delivery import Table
from simulator.units import Units
from simulator.wire.finance import ESTIMATE, EXECUTION
from simulator.world.listing import Listing

BEFORE = (("2023-07-01", "2023-12-01"), ("2024-01-01", "2024-12-01"), ("2025-01-01", "2025-06-01"))
AFTER = (("2025-07-01", "2025-12-01"), ("2026-01-01", "2026-12-01"))
"""First and last months of the estimates, until the reform and since."""
SENT_ON = 3
"""Days after the end of the month."""
DEPARTMENTS = ("405", "412", "414", "416", "417", "418", "419", "422", "423", "425", "435", "437")
SPENDING = (("6000", 30.0), ("7000", 22.0), ("9300", 58.0))
"""Item and tỷ đồng a month of one department; health and education have five times as much."""
REVENUE = (
    ("554", "1050", 520.0),
    ("554", "1700", 760.0),
    ("557", "1000", 300.0),
    ("554", "1750", 260.0),
    ("554", "3600", 120.0),
)
DISTRICT = (
    ("757", "1000", 6.0), ("757", "2800", 5.0), ("757", "1400", 14.0), ("622", "6000", 26.0), ("605", "6000", 5.0),
    ("605", "9300", 12.0),
)  # fmt: skip
COMMUNE = (
    ("857", "1600", 0.06),
    ("857", "2800", 0.2),
    ("805", "6000", 0.9),
    ("805", "6500", 0.1),
    ("805", "7750", 0.5),
)
ENLARGED = 5.0
"""A commune since the reform spends so many times what one of its predecessors did: it has the district's duties too."""
UNITS = ("đồng", "nghìn đồng", "triệu đồng", "tỷ đồng")
FACTORS = (1, 1_000, 1_000_000, 1_000_000_000)


@dataclass(frozen=True)
class Line:
    """One line of the budget: who, what, where, over which months (day numbers of their first), tỷ đồng a month."""

    level: str
    chapter: str
    item: str
    unit: str
    area: str
    first: int
    last: int
    monthly: float


def _lines(units: Units) -> list[Line]:
    before, after = ([(c.day_number(a), c.day_number(b)) for a, b in spans] for spans in (BEFORE, AFTER))
    people = sum(part.population for part in units.of.parts)
    out = []
    for span in before:
        for part in units.of.parts:
            out += _provincial(part.code, span, part.population / people)
        for number, district in enumerate(sorted(set(units.district[: units.cells]))):
            out += [Line("3", ch, it, f"2{number:06d}", f"{district}HH", *span, amount) for ch, it, amount in DISTRICT]
    for span in after:
        out += _provincial(units.of.code, span, 1.0)
    for place in range(len(units.code)):
        enlarged = place >= units.cells
        if not enlarged and units.parts_2024[place][0] != place:
            continue  # ended on 30/11/2024
        unit, times = (f"4{place:06d}", ENLARGED) if enlarged else (f"3{place:06d}", 1.0)
        for span in after if enlarged else before:
            out += [Line("4", ch, it, unit, units.code[place], *span, amount * times) for ch, it, amount in COMMUNE]
    return out


def _provincial(code: str, span: tuple[int, int], weight: float) -> list[Line]:
    area, unit = f"{code}TTT", f"1{code}"
    spending = [
        Line("2", one, item, f"{unit}{one}0", area, *span, amount * weight * (5 if one in ("422", "423") else 1))
        for one in DEPARTMENTS
        for item, amount in SPENDING
    ]
    revenue = [Line("2", ch, item, f"{unit}{ch}0", area, *span, amount * weight * 2.15) for ch, item, amount in REVENUE]
    return spending + revenue


def _typed(tens: Ints, unit: Ints) -> Column:
    """Amounts in hundred thousands of đồng as somebody typed them in the unit of the line: dots in thousands, a comma."""
    dong = tens * 100_000
    out = []
    for amount, factor in zip(dong.tolist(), np.array(FACTORS)[unit].tolist(), strict=True):
        whole, rest = divmod(amount, factor)
        fraction = f"{rest / factor:.4f}"[2:].rstrip("0") if rest else ""
        out.append(f"{whole:,}".replace(",", ".") + (f",{fraction}" if fraction else ""))
    return c.texts(out)


def tables(seed: int, units: Units) -> list[Table]:
    """Estimates by the first month of a line, execution by the month."""
    lines = _lines(units)
    which = np.arange(len(lines))
    unit = np.array([{"2": 2, "3": 0, "4": 1}[line.level] for line in lines])
    unit = np.where(c.mix(which, 71) % 12 == 0, 3, unit)  # some type tỷ đồng, whatever the form says
    unit = np.where((unit == 3) & (np.array([line.level for line in lines]) == "4"), 2, unit)
    spans = [_months(line.first, line.last) for line in lines]
    length = np.array([len(span) for span in spans])
    per_month = np.array([line.monthly * 10_000 for line in lines])  # in hundred thousands of đồng
    first, last = (np.array([getattr(line, name) for line in lines]) for name in ("first", "last"))
    described = {
        name: c.texts([getattr(line, field) for line in lines])
        for name, field in (
            ("level_code", "level"), ("chapter_code", "chapter"), ("item_code", "item"), ("unit_code", "unit"), ("area_code", "area"),
        )
    }  # fmt: skip
    estimate_plan = defects.plan(seed, ESTIMATE, first, {})
    estimated = np.rint(per_month * length).astype(np.int64)

    def estimates(rows: Ints, as_of: int) -> dict[str, Column]:
        return {
            "record_no": c.join("DT", c.digits(rows + 1, 6)),
            "from_month": c.date_text(first[rows], "%m/%Y"),
            "to_month": c.date_text(last[rows], "%m/%Y"),
            **{name: values.take(rows) for name, values in described.items()},
            "amount": _typed(estimated[rows], unit[rows]),
            "amount_unit": c.take(UNITS, unit[rows]),
        }

    line = np.repeat(which, length)
    month = np.concatenate([np.array(span) for span in spans])
    order = np.lexsort((line, month))
    line, month = line[order], month[order]
    created = np.array([month_start(int(day) + 31) for day in month.tolist()]) - 1 + SENT_ON
    plan = defects.plan(seed, EXECUTION, created, {})
    season = 0.82 + c.mix(line * 1_000 + month % 997, 72) % 1_000 / 1_000 * 0.3
    done = np.rint(per_month[line] * season).astype(np.int64)

    def execution(rows: Ints, as_of: int) -> dict[str, Column]:
        at = line[rows]
        return {
            "record_no": c.join("TH", c.digits(rows + 1, 8)),
            "month": c.date_text(month[rows], "%m/%Y"),
            **{name: values.take(at) for name, values in described.items()},
            "amount": _typed(done[rows], unit[at]),
            "amount_unit": c.take(UNITS, unit[at]),
        }

    return [Listing(ESTIMATE, first, estimate_plan, estimates), Listing(EXECUTION, created, plan, execution)]


def _months(first: int, last: int) -> list[int]:
    """Firsts of the months from one to another."""
    out = [first]
    while out[-1] < last:
        out.append(month_start(out[-1] + 31))
    return out
