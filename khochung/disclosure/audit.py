"""The joint audit: what all published cells together tell of the ones that are withheld.

An attacker has every version of every dataset, knows how they are protected, and adds and subtracts. Four ways are
followed: two versions of a cell; a part and its whole; linked datasets, sums over a year among them; former communes
against those that took them over. The first two are subtractions, the others go to linear programming together
(khochung.disclosure.bounds). Only published cells and public rules are looked at, so `khochung attack` runs the same.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

from khochung.contract import Linked
from khochung.disclosure.bounds import Problem, tighten
from khochung.disclosure.cells import PLACE, Cell, Coordinates, Rules

Kind = Literal["exact", "below", "narrow", "difference", "part", "returned"]
Crosswalk = Mapping[str, frozenset[str]]
"""Former commune -> the present ones that hold parts of it."""
ROUNDING = 1e-6
SHARE = 0.1
"""A value is pinned too narrowly when its bounds are closer than this share of the greater one."""


@dataclass(frozen=True)
class Leak:
    """A secret that published cells give away, within `low` and `high`.

    kind: `exact`; `below`, it is known to be under the threshold; `narrow`, it is known within less than the noise;
    `difference`, somebody was surely added to or taken from a cell between two versions, and surely few; `part`, the
    others of a whole are surely some and surely few; `returned`, a value that was withheld in an earlier version.
    """

    dataset: str
    kind: Kind
    measure: str
    at: Coordinates
    low: float
    high: float


@dataclass
class Table:
    """The newest word on each cell of a dataset, and all other ones before it."""

    rules: Rules
    cells: dict[tuple[str, Coordinates], Cell] = field(default_factory=dict)
    before: dict[tuple[str, Coordinates], tuple[Cell, ...]] = field(default_factory=dict)

    def take(self, cells: Iterable[Cell]) -> "Table":
        """The table after a later version."""
        fresh = Table(self.rules, dict(self.cells), dict(self.before))
        for cell in cells:
            fresh.hear(cell)
        return fresh

    def hear(self, cell: Cell) -> None:
        """One more word, the newest on its cell."""
        key = (cell.measure, cell.at)
        known = self.cells.get(key)
        if known is not None and known.value != cell.value:
            self.before[key] = tuple(one for one in (*self.before.get(key, ()), known) if one.value != cell.value)
        self.cells[key] = cell


Tables = Mapping[str, Table]
"""Tables by dataset and vintage; the name of a dataset that changed its list of places has the vintage behind an @."""


@dataclass(frozen=True)
class Finding:
    """leaks: what was found. protected: withheld cells that were looked at. cells: all of them."""

    leaks: tuple[Leak, ...]
    protected: int
    cells: int


def audit(tables: Tables, crosswalk: Crosswalk | None = None) -> Finding:
    """Follow every way to a withheld cell. `tables` hold what the public has, or would have."""
    leaks = [leak for table in tables.values() for leak in (*_versions(table), *_parts(table))]
    leaks += _sums(tables, crosswalk or {})
    count = sum(len(table.cells) for table in tables.values())
    protected = sum(cell.value is None for table in tables.values() for cell in table.cells.values())
    return Finding(tuple(leaks), protected, count)


def _versions(table: Table) -> Iterator[Leak]:
    rules = table.rules
    for key, words in table.before.items():
        new = table.cells[key]
        if rules.method == "dominance" and new.value is not None and any(old.value is None for old in words):
            yield Leak(rules.slug, "returned", new.measure, new.at, new.value, new.value)
        for old in words:
            if old.value is not None and new.value is not None and rules.is_counted:
                yield from _difference(rules, "difference", new, rules.tells(new.value), rules.tells(old.value))


def _difference(
    rules: Rules, kind: Kind, cell: Cell, one: tuple[float, float], other: tuple[float, float]
) -> Iterator[Leak]:
    """A leak where the difference of two counts is surely not nought and surely below the threshold."""
    low, high = one[0] - other[1], one[1] - other[0]
    for least, most in ((low, high), (-high, -low)):
        if least >= 1 and most < rules.threshold:
            yield Leak(rules.slug, kind, cell.measure, cell.at, least, most)


def _parts(table: Table) -> Iterator[Leak]:
    rules = table.rules
    for part, whole in rules.parts.items():
        for (measure, at), cell in table.cells.items():
            other = table.cells.get((whole, at))
            if measure == part and cell.value is not None and other is not None and other.value is not None:
                yield from _difference(rules, "part", cell, rules.tells(other.value), rules.tells(cell.value))


class _Unknowns:
    """The true values behind all cells, as unknowns of one problem."""

    def __init__(self, tables: Tables) -> None:
        self.problem = Problem()
        self.cells: list[tuple[str, Cell]] = []
        self.of: dict[str, dict[tuple[str, Coordinates], int]] = {}
        for name, table in tables.items():
            self.of[name] = {}
            for key, cell in table.cells.items():
                self.of[name][key] = self.problem.unknown(*table.rules.tells(cell.value))
                self.cells.append((name, cell))

    def grouped(self, name: str, measure: str, columns: Sequence[str]) -> dict[Coordinates, list[int]]:
        """The unknowns of a measure by their coordinates in these columns."""
        found: dict[Coordinates, list[int]] = defaultdict(list)
        for (of_measure, at), unknown in self.of[name].items():
            if of_measure == measure:
                found[tuple(pair for pair in at if pair[0] in columns)].append(unknown)
        return found


def _sums(tables: Tables, crosswalk: Crosswalk) -> Iterator[Leak]:
    unknowns = _Unknowns(tables)
    for name, table in tables.items():
        for link in table.rules.linked:
            _link(unknowns, tables, name, link)
    for former, present in _geographies(tables):
        _restate(unknowns, former, present, crosswalk)
    withheld = [i for i, (_, cell) in enumerate(unknowns.cells) if cell.value is None]

    def enough(i: int, low: float, high: float) -> bool:
        name, _ = unknowns.cells[i]
        return _told(tables[name].rules, low, high) is None

    found, _ = tighten(unknowns.problem, withheld, enough)
    for i, (low, high) in found.items():
        name, cell = unknowns.cells[i]
        rules = tables[name].rules
        kind = _told(rules, low, high)
        if kind is not None:
            yield Leak(rules.slug, kind, cell.measure, cell.at, low, high)
    for i in withheld:  # in no sum: what the rule alone tells
        name, cell = unknowns.cells[i]
        low, high = tables[name].rules.tells(None)
        kind = _told(tables[name].rules, low, high)
        if i not in found and kind is not None:
            yield Leak(tables[name].rules.slug, kind, cell.measure, cell.at, low, high)


def _told(rules: Rules, low: float, high: float) -> Kind | None:
    """What is wrong when a withheld value is known to lie between these two."""
    if rules.is_counted:
        low, high = math.ceil(low - ROUNDING), math.floor(high + ROUNDING)
    if high - low <= ROUNDING:
        return "exact"
    if rules.is_counted:
        if high < rules.threshold:
            return "below"
        return "narrow" if high - low < 2 * rules.noise else None
    return "narrow" if high - low < SHARE * high else None


def _link(unknowns: _Unknowns, tables: Tables, name: str, link: Linked) -> None:
    """Sums over everything but `link.by` are alike in both datasets; see khochung.contract.Linked."""
    columns = [*link.by, link.running] if link.running else list(link.by)
    for other_name, other in tables.items():
        if other.rules.slug != link.dataset:
            continue
        for measure in set(tables[name].rules.measures) & set(other.rules.measures):
            parts = unknowns.grouped(name, measure, columns)
            for at, whole in unknowns.grouped(other_name, measure, columns).items():
                wanted = [at] if link.running is None else [part for part in parts if _runs(part, at, link.running)]
                found = [unknown for part in wanted for unknown in parts.get(part, [])]
                if found:
                    unknowns.problem.equal(found, whole)


def _runs(part: Coordinates, whole: Coordinates, column: str) -> bool:
    """A period of the same year, not after the one that the whole ends with; all other coordinates alike."""
    own, total = dict(part), dict(whole)
    period, until = own.pop(column), total.pop(column)
    return own == total and period[:4] == until[:4] and period <= until


def _geographies(tables: Tables) -> Iterator[tuple[str, str]]:
    """Tables of former and of later communes that count the same."""
    for name, table in tables.items():
        for later, other in tables.items():
            if _restates(table.rules, other.rules):
                yield name, later


def _restates(former: Rules, later: Rules) -> bool:
    same = former.keys == later.keys and former.unit == later.unit and set(former.measures) & set(later.measures)
    return bool(same and former.vintage and later.vintage and former.vintage < later.vintage)


def related(tables: Tables, name: str) -> Tables:
    """The tables that share a sum with this one, directly or through others; the others tell nothing of it."""
    found, waiting = {name}, [name]
    while waiting:
        one = tables[waiting.pop()].rules
        for other_name, other in tables.items():
            slugs = {link.dataset for link in one.linked} | {one.slug}
            back = {link.dataset for link in other.rules.linked}
            near = other.rules.slug in slugs or one.slug in back
            near = near or _restates(one, other.rules) or _restates(other.rules, one)
            if near and other_name not in found:
                found.add(other_name)
                waiting.append(other_name)
    return {key: table for key, table in tables.items() if key in found}


def sums_compared(tables: Tables, name: str) -> tuple[int, float]:
    """(sums of this table that a linked one publishes too, both whole; the largest difference between the two)."""
    count, largest = 0, 0.0
    for link in tables[name].rules.linked:
        for other in (table for table in tables.values() if table.rules.slug == link.dataset and not link.running):
            left, right = _whole_sums(tables[name], link.by), _whole_sums(other, link.by)
            for key in left.keys() & right.keys():
                count, largest = count + 1, max(largest, abs(left[key] - right[key]))
    return count, largest


def _whole_sums(table: Table, by: Sequence[str]) -> dict[tuple[str, Coordinates], float]:
    """Sums over everything but `by` of which no part is withheld."""
    sums: dict[tuple[str, Coordinates], float] = defaultdict(float)
    for (measure, at), cell in table.cells.items():
        sums[measure, tuple(pair for pair in at if pair[0] in by)] += math.nan if cell.value is None else cell.value
    return {key: total for key, total in sums.items() if not math.isnan(total)}


def _restate(unknowns: _Unknowns, former: str, present: str, crosswalk: Crosswalk) -> None:
    """A former commune is the sum of its pieces, and so is a present one."""
    problem = unknowns.problem
    pieces: dict[tuple[str, Coordinates], list[int]] = defaultdict(list)
    for (measure, at), whole in unknowns.of[former].items():
        holders = sorted(crosswalk.get(dict(at).get(PLACE, ""), ()))
        own = [whole] if len(holders) == 1 else [problem.unknown() for _ in holders]
        if len(holders) > 1:
            problem.equal(own, [whole])
        for new, piece in zip(holders, own, strict=True):
            pieces[measure, _moved(at, new)].append(piece)
    makers: dict[str, int] = defaultdict(int)
    for holders_of in crosswalk.values():
        for new in holders_of:
            makers[new] += 1
    for key, whole in unknowns.of[present].items():
        found = pieces.get(key, [])
        absent = makers[dict(key[1]).get(PLACE, "")] - len(found)
        if found:
            problem.equal([*found, *(problem.unknown() for _ in range(absent))], [whole])


def _moved(at: Coordinates, place: str) -> Coordinates:
    return tuple((name, place if name == PLACE else value) for name, value in at)


def crosswalk_of(rows: Iterable[Mapping[str, Any]], vintage: str) -> Crosswalk:
    """Of the rows of the crosswalk those of communes that ended on the day before `vintage`."""
    last = (date.fromisoformat(vintage) - timedelta(days=1)).isoformat()
    holders: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if str(row["old_valid_to"]) == last:
            holders[row["old_code"]].add(row["new_code"])
    return {code: frozenset(found) for code, found in holders.items()}
