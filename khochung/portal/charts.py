"""Pictures of published tables, drawn when the site is built: SVG without styles of its own, so that the style sheet
of the page colours it in light, dark and print. What is drawn can be read as a table beside it.

Coordinates are joined by commas: a row of numbers with spaces between them can look like a telephone number.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from khochung.contract import Dataset, DatasetColumn
from khochung.portal.places import COMMUNE, Commune
from khochung.portal.table import WITHHELD_AT_MOST, Table, column, flags, measures, name_column, time_column
from khochung.portal.words import Speech

WIDTH, HEIGHT = 400, 210
LONGEST_BARS = 24


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart. `percent`: length against the longest bar; `href`: where its label leads."""

    label: str
    values: tuple[Decimal, ...]
    percents: tuple[str, ...]
    shown: tuple[str, ...]
    href: str | None = None


@dataclass(frozen=True)
class Bars:
    """Bars beside their values: the chart is a table, and needs none beside it."""

    dimension: str
    heads: tuple[str, ...]
    bars: tuple[Bar, ...]
    left_over: int
    note: str


@dataclass(frozen=True)
class Share:
    """A part of a whole: its amount in the commune, and its share there and in the province, as bars and in words."""

    label: str
    amount: str
    percents: tuple[str, str]
    shown: tuple[str, str]


@dataclass(frozen=True)
class Comparison:
    """What a figure of a commune is made of, beside that of the province."""

    dimension: str
    rows: tuple[Share, ...]
    left_over: int


@dataclass(frozen=True)
class Line:
    """One series of a line chart; `place`: its number among the colours."""

    name: str
    points: str
    last: tuple[str, str]
    place: int


@dataclass(frozen=True)
class Lines:
    """A line chart with the scale of its axes, and the same figures as a table."""

    lines: tuple[Line, ...]
    ticks: tuple[tuple[str, str], ...]
    marks: tuple[tuple[str, str], ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


@dataclass(frozen=True)
class Dot:
    """A commune on the map: where, how large, what it is called, where it leads."""

    x: str
    y: str
    radius: str
    label: str
    shown: str
    figure: str
    href: str


@dataclass(frozen=True)
class Dots:
    """A map of proportional circles at the points that the register of units gives: no borders are known, none drawn."""

    dots: tuple[Dot, ...]
    head: str
    width: int
    height: int
    note: str


@cache
def _declared() -> Mapping[str, Mapping[str, Any]]:
    content: Mapping[str, Mapping[str, Any]] = json.loads(
        (files("khochung.portal") / "data" / "charts.json").read_bytes()
    )
    return content


def measure_of(dataset: Dataset) -> DatasetColumn | None:
    """The measure that pictures and headlines show: the first that may be added up."""
    found = measures(dataset)
    return found[0] if found else None


def too_much_withheld(table: Table, withheld: int) -> bool:
    """Whether a sum over the rows should not be shown as if it were one."""
    return withheld > WITHHELD_AT_MOST * len(table.rows)


def _note(speech: Speech, dataset: Dataset, withheld: int) -> str:
    """What a reader must know of a sum of published cells."""
    noisy = dataset.disclosure.method == "cell_key"
    found = [
        speech.say("Cộng từ các số đã có nhiễu nhỏ.", "A sum of counts that carry a small noise.") if noisy else "",
        speech.say(
            f"Không tính {speech.number(withheld)} ô được để trống để bảo vệ thông tin.",
            f"Without {speech.number(withheld)} cells that are left empty to protect information.",
        )
        if withheld
        else "",
    ]
    return " ".join(filter(None, found))


def _percent(value: Decimal, longest: Decimal) -> str:
    return f"{float(100 * value / longest) if longest else 0:.2f}%"


def bars(speech: Speech, table: Table, by: str, split: str | None = None, *, largest_first: bool = True) -> Bars | None:
    """The first measure by the values of a column, at most LONGEST_BARS of them; `split`: side by side by another.

    None when too much of it is withheld.
    """
    measure = measure_of(table.dataset)
    if measure is None or not table.rows:
        return None
    parts = _parts(table, split)
    by_column = column(table.dataset, by)
    found: list[tuple[str, tuple[Decimal, ...]]] = []
    withheld = 0
    for value, group in table.grouped(by):
        totals = [(group.where(split, part) if split and part else group).total(measure) for part in parts]
        withheld += sum(total.withheld for total in totals)
        found.append((value, tuple(total.value for total in totals)))
    if largest_first:
        found.sort(key=lambda one: (-sum(one[1]), one[0]))
    longest = max(max(values) for _, values in found)
    if too_much_withheld(table, withheld):
        return None
    labels = _labels(speech, table, by_column)
    made = [
        Bar(
            labels(value),
            values,
            tuple(_percent(v, longest) for v in values),
            tuple(speech.number(v, decimals(v)) for v in values),
        )
        for value, values in found[:LONGEST_BARS]
    ]
    unit = speech.word(f"unit:{measure.unit}")
    heads = (
        tuple(speech.cell(part, column(table.dataset, split)) for part in parts)
        if split
        else (f"{speech.pick(measure.label)} ({unit})",)
    )
    return Bars(
        speech.pick(by_column.label), heads, tuple(made), len(found) - len(made), _note(speech, table.dataset, withheld)
    )


def _parts(table: Table, split: str | None) -> Sequence[str | None]:
    """The values that a picture is split by, in the order of their code list where there is one."""
    if split is None:
        return [None]
    found = table.values(split)
    codes = list(column(table.dataset, split).codes or {})
    return sorted(found, key=lambda value: (codes.index(value) if value in codes else len(codes), value))


def decimals(value: Decimal) -> int:
    """Digits behind the point that a reader wants: none for large numbers, two for small ones."""
    return 0 if value == value.to_integral_value() or abs(value) >= 1000 else 2 if abs(value) < 10 else 1


def _labels(speech: Speech, table: Table, by: DatasetColumn) -> Any:
    if by.codes or by.data_type == "date":
        return lambda value: speech.cell(value, by)
    names = table.place.get(name_column(by.name)) or table.place.get(f"{by.name}_name")
    if names is None:
        return lambda value: value
    found = {row[table.place[by.name]]: row[names] for row in table.rows}
    return lambda value: found.get(value) or value


def lines(speech: Speech, table: Table, split: str | None = None) -> Lines | None:
    """The first measure over time; `split`: a line for each value of a column. None when too much of it is withheld."""
    time, measure = time_column(table.dataset), measure_of(table.dataset)
    if time is None or measure is None or len(table.periods) < 3:
        return None
    names = _parts(table, split)
    series, withheld = [], 0
    for name in names:
        part = table.where(split, name) if split and name else table
        totals = {period: group.total(measure) for period, group in part.grouped(time.name)}
        withheld += sum(total.withheld for total in totals.values())
        series.append([totals[period].value if period in totals else None for period in table.periods])
    if too_much_withheld(table, withheld):
        return None
    label = [
        speech.cell(name, column(table.dataset, split)) if split and name else speech.pick(measure.label)
        for name in names
    ]
    periods = [speech.period(period, time) for period in table.periods]
    return _drawn(speech, label, series, periods, speech.pick(time.label), _note(speech, table.dataset, withheld))


def trend(
    speech: Speech, measure: DatasetColumn, values: Mapping[str, Decimal], words: Callable[[str], str]
) -> Lines | None:
    """One line through the periods of `values`, oldest first; None for fewer than three. `words`: a period in words."""
    if len(values) < 3 or not any(values.values()):
        return None
    return _drawn(speech, [speech.pick(measure.label)], [list(values.values())], [words(one) for one in values], "", "")


def _drawn(
    speech: Speech, labels: Sequence[str], series: Sequence[Sequence[Decimal | None]], periods: Sequence[str],
    head: str, note: str,
) -> Lines:  # fmt: skip
    top = _ceiling(max(value for values in series for value in values if value is not None))
    drawn = tuple(
        Line(labels[i], _path(values, top), (_figure(speech, _last(values)), _y(_last(values), top)), i)
        for i, values in enumerate(series)
    )
    rows = tuple(
        (period, *(_figure(speech, v) if (v := values[i]) is not None else "" for values in series))
        for i, period in enumerate(periods)
    )
    return Lines(
        drawn,
        tuple((_y(value, top), speech.number(value)) for value in (Decimal(0), top / 2, top)),
        tuple((_x(i, len(periods)), periods[i]) for i in _marks(len(periods))),
        (head, *labels),
        rows[::-1],
        note,
    )


def _figure(speech: Speech, value: Decimal) -> str:
    return speech.number(value, decimals(value))


def _last(values: Sequence[Decimal | None]) -> Decimal:
    return next(value for value in reversed(values) if value is not None)


def _ceiling(value: Decimal) -> Decimal:
    """The next round number: 1, 2, 4, 5, 6 or 8 times a power of ten, whose half is round as well."""
    if value <= 2:
        return Decimal(2)
    power = Decimal(10) ** int(math.log10(value))
    return next(step * power for step in map(Decimal, (1, 2, 4, 5, 6, 8, 10)) if step * power >= value)


def _x(place: int, count: int) -> str:
    return f"{48 + place * (WIDTH - 60) / max(count - 1, 1):.1f}"


def _y(value: Decimal, top: Decimal) -> str:
    return f"{HEIGHT - 30 - float(value / top) * (HEIGHT - 46):.1f}"


def _path(values: Sequence[Decimal | None], top: Decimal) -> str:
    """A line that breaks where there is no figure."""
    parts, pen = [], "M"
    for i, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        parts.append(f"{pen}{_x(i, len(values))},{_y(value, top)}")
        pen = "L"
    return "".join(parts)


def _marks(count: int) -> list[int]:
    """The first, the last and one in the middle."""
    return sorted({0, count // 2, count - 1})


def dots(speech: Speech, table: Table, communes: Iterable[Commune], address: Any) -> Dots | None:
    """A circle for each commune with a figure and a point; its area stands for the first measure."""
    measure = measure_of(table.dataset)
    if measure is None or COMMUNE not in table.place:
        return None
    totals = {code: group.total(measure) for code, group in table.grouped(COMMUNE)}
    if too_much_withheld(table, sum(total.withheld for total in totals.values())):
        return None
    placed = [(c, totals[c.code], c.point) for c in communes if c.point and c.code in totals]
    if len(placed) < 3:
        return None
    points = [point for _, _, point in placed]
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    # A degree of longitude is shorter than one of latitude by the cosine of the latitude.
    narrow = math.cos(math.radians((south + north) / 2))
    scale = (WIDTH - 40) / ((east - west) * narrow or 1)
    height = round((north - south) * scale) + 40
    largest = max(total.value for _, total, _ in placed) or Decimal(1)
    unit = speech.word(f"unit:{measure.unit}")
    made = [
        Dot(
            f"{20 + (point[0] - west) * narrow * scale:.1f}",
            f"{20 + (north - point[1]) * scale:.1f}",
            f"{max(2.0, 14 * math.sqrt(total.value / largest)):.1f}",
            commune.name,
            f"{_figure(speech, total.value)} {unit}",
            _figure(speech, total.value),
            address(commune.code),
        )
        for commune, total, point in sorted(placed, key=lambda one: (-one[1].value, one[0].code))
    ]
    head = f"{speech.pick(measure.label)} ({unit})"
    return Dots(
        tuple(made), head, WIDTH, height, _note(speech, table.dataset, sum(total.withheld for _, total, _ in placed))
    )


def picture(speech: Speech, table: Table) -> Bars | Lines | None:
    """The chart of a dataset: as `data/charts.json` declares it, else over time, else by its first key."""
    dataset = table.dataset
    if measure_of(dataset) is None:
        return None
    wanted = _declared().get(dataset.slug, {})
    if "by" in wanted:
        return bars(
            speech, table.latest(), wanted["by"], wanted.get("split"), largest_first=not wanted.get("keep_order")
        )
    made = lines(speech, table, wanted.get("split"))
    if made is not None:
        return made
    hidden = flags(dataset) | {COMMUNE}
    keys = [c.name for c in dataset.columns if c.role == "key" and c.data_type == "text" and c.name not in hidden]
    return bars(speech, table.latest(), keys[0]) if keys else None


def compositions(speech: Speech, commune: Table, province: Table) -> list[Comparison]:
    """What the first measure of a commune is made of, beside what it is in the whole province: one table for each key."""
    dataset = commune.dataset
    measure = measure_of(dataset)
    if measure is None or commune.total(measure).mostly_withheld:
        return []
    keys = [c for c in dataset.columns if c.role == "key" and c.data_type == "text" and c.name != COMMUNE]
    found = (_composition(speech, commune, province, by, measure) for by in keys)
    return [one for one in found if one is not None]


def _composition(
    speech: Speech, commune: Table, province: Table, by: DatasetColumn, measure: DatasetColumn
) -> Comparison | None:
    here = {value: rows.total(measure).value for value, rows in commune.grouped(by.name)}
    there = {value: rows.total(measure).value for value, rows in province.grouped(by.name)}
    all_here, all_there = sum(here.values(), Decimal(0)), sum(there.values(), Decimal(0))
    if not all_here or not all_there or len(here) < 2:
        return None
    labels = _labels(speech, province, by)
    ordered = sorted(here, key=lambda value: (-here[value], value))
    if by.codes:
        ordered = sorted(
            here, key=lambda value: list(by.codes or {}).index(value) if value in (by.codes or {}) else 999
        )
    elif _declared().get(commune.dataset.slug, {}).get("keep_order"):
        ordered = sorted(here)
    shares = [(value, here[value] / all_here, there[value] / all_there) for value in ordered[:LONGEST_BARS]]
    longest = max(max(ours, theirs) for _, ours, theirs in shares)
    rows = tuple(
        Share(
            labels(value),
            _figure(speech, here[value]),
            (_percent(ours, longest), _percent(theirs, longest)),
            (f"{speech.number(100 * ours, 1)}%", f"{speech.number(100 * theirs, 1)}%"),
        )
        for value, ours, theirs in shares
    )
    return Comparison(speech.pick(by.label), rows, len(here) - len(rows))
