"""An attacker who has the public folder and nothing else: tries to learn what was withheld from it.

Every version of every dataset is read in the order of its day, and after each day all that is public by then is worked
out together, as the joint audit does; but the rules are those that the versions themselves state, links between datasets
are also guessed, and the communes' crosswalk is the published one.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from khochung.contract import Linked
from khochung.disclosure.audit import Crosswalk, Leak, Table, audit, crosswalk_of
from khochung.disclosure.released import Edition, editions, name_of
from khochung.errors import GateError

CROSSWALK = "chuyen-doi-don-vi-hanh-chinh"


@dataclass(frozen=True)
class Attack:
    """What an attack looked at, and the secrets that it got hold of."""

    versions: int
    cells: int
    withheld: int
    leaks: tuple[Leak, ...]

    def record(self) -> dict[str, Any]:
        return asdict(self) | {"leaks": [asdict(leak) | {"at": dict(leak.at)} for leak in self.leaks]}

    def lines(self) -> Iterator[str]:
        """For people: each secret, and a sum."""
        for leak in self.leaks:
            at = ", ".join(f"{name} {value}" for name, value in leak.at)
            span = f"{leak.low:g}" if leak.high == leak.low else f"{leak.low:g} to {leak.high:g}"
            yield f"{leak.kind}: {leak.dataset}, {leak.measure} at {at}: {span}"
        kinds = Counter(leak.kind for leak in self.leaks)
        told = "; ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "nothing was inferred"
        yield f"{self.versions} versions, {self.cells:,} cells, {self.withheld:,} of them withheld: {told}"


def attack(public: Path) -> Attack:
    """Attack a public tree. Raises GateError where there is none."""
    found = list(editions(public))
    if not any(public.glob("data/*/v/*")):
        raise GateError(f"{public} is no public tree: expected data/<dataset>/v/<version>/")
    crosswalk = published_crosswalk(public, found)
    leaks: dict[Leak, None] = {}
    for tables in _days(found):
        leaks |= dict.fromkeys(audit(_guess_links(tables), crosswalk).leaks)
    cells = sum(len(edition.cells) for edition in found)
    withheld = sum(cell.value is None for edition in found for cell in edition.cells)
    return Attack(len(found), cells, withheld, tuple(leaks))


def _days(found: list[Edition]) -> Iterator[dict[str, Table]]:
    """What is public at the end of each day on which something was published."""
    by_day: dict[str, list[Edition]] = defaultdict(list)
    for edition in found:
        by_day[edition.as_of].append(edition)
    tables: dict[str, Table] = {}
    for day in sorted(by_day):
        for edition in by_day[day]:  # in the order of their versions
            name = name_of(edition.rules)
            known = tables.get(name, Table(edition.rules))
            tables[name] = Table(edition.rules, known.cells, known.before).take(edition.cells)
            yield dict(tables)


def _guess_links(tables: Mapping[str, Table]) -> dict[str, Table]:
    """Datasets of one unit, such as dossiers, by columns of which they share some, and whose published sums agree."""
    guessed = dict(tables)
    for name, table in tables.items():
        for other_name, other in tables.items():
            shared = tuple(column for column in table.rules.keys if column in other.rules.keys)
            slugs = {table.rules.slug, other.rules.slug}
            told = {link.dataset for link in (*table.rules.linked, *other.rules.linked)}
            is_apart = name < other_name and len(slugs) == 2 and table.rules.unit == other.rules.unit
            if is_apart and shared and not told & slugs and _agree(table, other, shared):
                rules = guessed[name].rules
                link = Linked(dataset=other.rules.slug, by=shared)
                guessed[name] = replace(guessed[name], rules=replace(rules, linked=(*rules.linked, link)))
    return guessed


def _agree(one: Table, other: Table, by: tuple[str, ...]) -> bool:
    """True where sums over what both publish whole can be the same, and there is such a sum at all."""
    compared = 0
    for measure in set(one.rules.measures) & set(other.rules.measures):
        left, right = _spans(one, measure, by), _spans(other, measure, by)
        for at in left.keys() & right.keys():
            if left[at][0] > right[at][1] or right[at][0] > left[at][1]:
                return False
            compared += 1
    return compared > 0


def _spans(table: Table, measure: str, by: tuple[str, ...]) -> dict[Any, tuple[float, float]]:
    spans: dict[Any, tuple[float, float]] = {}
    for (of_measure, at), cell in table.cells.items():
        if of_measure == measure:
            place = tuple(pair for pair in at if pair[0] in by)
            low, high = table.rules.tells(cell.value)
            before = spans.get(place, (0.0, 0.0))
            spans[place] = (before[0] + low, before[1] + high)
    return spans


def published_crosswalk(public: Path, found: list[Edition]) -> Crosswalk:
    """Former communes and their holders from the newest published crosswalk, of the list before the newest vintage."""
    paths = sorted(public.glob(f"data/{CROSSWALK}/latest/{CROSSWALK}.csv"))
    vintages = {edition.rules.vintage for edition in found if edition.rules.vintage}
    if not paths or not vintages:
        return {}
    with paths[-1].open(encoding="utf-8", newline="") as stream:
        return crosswalk_of(csv.DictReader(stream), max(vintages))
