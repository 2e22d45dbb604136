"""What the page of a commune says of each figure: its newest value, its place in the province, its way through the periods.

Periods are those of the time column. A dataset that is a snapshot has one in each version, so its earlier versions are
read as well: the newest that speaks of a period counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from statistics import median

from khochung.contract import DatasetColumn
from khochung.portal import charts, table
from khochung.portal.places import COMMUNE
from khochung.portal.press import Press
from khochung.portal.table import Table, Total
from khochung.portal.words import Speech
from khochung.release.catalogue import Entry

MOST_VERSIONS = 36


@dataclass(frozen=True)
class Series:
    """One measure by period and commune, oldest period first. `time`: the column of the periods; None for days of release."""

    measure: DatasetColumn
    time: DatasetColumn | None
    totals: Mapping[str, Mapping[str, Total]]

    @property
    def additive(self) -> bool:
        return self.measure.unit not in table.NOT_ADDITIVE

    @cached_property
    def periods(self) -> tuple[str, ...]:
        return tuple(self.totals)

    @cached_property
    def whole(self) -> dict[str, Decimal]:
        """By period: the province; the sum of its communes, or the one in the middle where nothing may be summed."""
        values = {period: [total.value for total in found.values()] for period, found in self.totals.items()}
        return {period: sum(all_, Decimal(0)) if self.additive else median(all_) for period, all_ in values.items()}

    def of(self, commune: str) -> dict[str, Total]:
        """The periods in which there is a figure for a commune that enough of its cells stand behind."""
        found = {period: totals[commune] for period, totals in self.totals.items() if commune in totals}
        return {period: total for period, total in found.items() if not total.mostly_withheld}

    def words(self, speech: Speech, period: str) -> str:
        return speech.period(period, self.time)


@dataclass(frozen=True)
class Figure:
    """A measure of a commune in words. `share` is of the province; `changes`: against which period, and by how much."""

    label: str
    unit: str
    period: str
    value: str
    withheld: int
    share: str | None
    middle: str | None
    rank: tuple[int, int] | None
    changes: tuple[tuple[str, str], ...]
    trend: charts.Lines | None
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Indicator:
    """A dataset on the page of a commune: its figures, and what the first of them is made of."""

    entry: Entry
    figures: tuple[Figure, ...]
    made_of: tuple[charts.Comparison, ...]


class Told:
    """All that the datasets by commune tell, read when the first page asks for it."""

    def __init__(self, press: Press) -> None:
        self._press = press

    @cached_property
    def _series(self) -> dict[str, tuple[Series, ...]]:
        return {entry.dataset.slug: series(self._press, entry) for entry in self._press.by_commune}

    @cached_property
    def _newest(self) -> dict[str, tuple[Table, dict[str, Table]]]:
        """By dataset: the rows of its newest period, all of them and by commune."""
        tables = {entry.dataset.slug: self._press.newest(entry.dataset.slug) for entry in self._press.by_commune}
        latest = {slug: found.latest() for slug, found in tables.items() if found}
        return {slug: (rows, dict(rows.grouped(COMMUNE))) for slug, rows in latest.items()}

    def about(self, speech: Speech, entry: Entry, commune: str) -> Indicator | None:
        """What a dataset says of a commune; None when it says nothing."""
        slug = entry.dataset.slug
        figures = [found for one in self._series[slug] if (found := figure(speech, one, commune))]
        if not figures or slug not in self._newest:
            return None
        province, communes = self._newest[slug]
        made_of = charts.compositions(speech, communes[commune], province) if commune in communes else []
        return Indicator(entry, tuple(figures), tuple(made_of))


def series(press: Press, entry: Entry) -> tuple[Series, ...]:
    """Every measure of a dataset by commune: sums, and shares or prices where a commune has one row for a period."""
    dataset = entry.dataset
    found = _by_period(press, entry)
    time = table.time_column(dataset)
    keys = {c.name for c in dataset.columns if c.role == "key"} - {COMMUNE, time.name if time else ""}
    measures = [c for c in dataset.columns if c.role == "measure" and c.unit]
    shown = [c for c in measures if c in table.measures(dataset) or not keys]
    groups = {period: dict(rows.grouped(COMMUNE)) for period, rows in found.items()}
    return tuple(
        Series(measure, time, {p: {code: rows.total(measure) for code, rows in by.items()} for p, by in groups.items()})
        for measure in shown
    )


def _by_period(press: Press, entry: Entry) -> dict[str, Table]:
    column = table.time_column(entry.dataset)
    found: dict[str, Table] = {}
    for version in entry.versions[:MOST_VERSIONS]:
        rows = press.version(entry, version.version)
        if rows is None:
            break  # other columns: what it counted is not for sure the same
        groups = rows.grouped(column.name) if column else [(version.released.isoformat(), rows)]
        for period, part in groups:
            found.setdefault(period, part)
        if len(rows.periods) > 2:
            break  # it tells its own past, corrected
    return dict(sorted(found.items()))


def figure(speech: Speech, one: Series, commune: str) -> Figure | None:
    """What is known of a measure of a commune; None when there is nothing for the newest period."""
    newest = one.periods[-1] if one.periods else None
    if newest is None or commune not in one.totals[newest]:
        return None
    total, good = one.totals[newest][commune], one.of(commune)
    known = newest in good
    whole = one.whole[newest]
    return Figure(
        speech.pick(one.measure.label),
        speech.word(f"unit:{one.measure.unit}"),
        one.words(speech, newest),
        _shown(speech, total.value),
        total.withheld,
        f"{speech.number(100 * total.value / whole, 1)}%" if known and one.additive and whole else None,
        None if one.additive else _shown(speech, whole),
        _rank(one, newest, commune) if known else None,
        tuple(_changes(speech, one, good)) if known else (),
        charts.trend(speech, one.measure, {p: t.value for p, t in good.items()}, lambda p: one.words(speech, p)),
        tuple((one.words(speech, p), _shown(speech, t.value), _shown(speech, one.whole[p])) for p, t in good.items())[::-1],
    )  # fmt: skip


def _shown(speech: Speech, value: Decimal) -> str:
    return speech.number(value, charts.decimals(value))


def _rank(one: Series, period: str, commune: str) -> tuple[int, int]:
    """The place among the communes with a figure, the largest first, and how many these are."""
    values = [total.value for total in one.totals[period].values() if not total.mostly_withheld]
    return 1 + sum(value > one.totals[period][commune].value for value in values), len(values)


def _changes(speech: Speech, one: Series, good: Mapping[str, Total]) -> list[tuple[str, str]]:
    """Against the period before, and against the same month a year ago."""
    *before, newest = good
    year_ago = f"{int(newest[:4]) - 1}{newest[4:7]}"
    wanted = before[-1:] + [period for period in before[:-1] if one.time and period.startswith(year_ago)]
    return [
        (one.words(speech, period), _signed(speech, 100 * (good[newest].value / good[period].value - 1)))
        for period in wanted
        if good[period].value
    ]


def _signed(speech: Speech, percent: Decimal) -> str:
    rounded = round(percent, 1)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return f"{sign}{speech.number(abs(rounded), 1)}%"
