"""Before a release: may these cells go out, beside everything that ever did?"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from khochung.contract import Dataset
from khochung.disclosure import released
from khochung.disclosure.audit import Crosswalk, Leak, Table, audit, crosswalk_of, related, sums_compared
from khochung.disclosure.cells import Rules, cells_of, rules_of
from khochung.disclosure.utility import Utility, utility
from khochung.strict import Text

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Candidate:
    """A dataset that is to be released: its columns and rows as they would be published."""

    dataset: Dataset
    names: Sequence[str]
    rows: Iterable[Sequence[Any]]


@dataclass(frozen=True)
class Screening:
    """The verdict of the joint audit on one candidate; of one that protects nothing, only its rules.

    cells: of it and of all that is linked to it, ever released. withheld: of these. utility: of the candidate alone. sums,
    largest_difference: what it and linked datasets both publish, and how far noise sets them apart.
    """

    rules: Rules
    leaks: tuple[Leak, ...] = ()
    cells: int = 0
    withheld: int = 0
    utility: Utility | None = None
    sums: int = 0
    largest_difference: float = 0.0
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.leaks

    @property
    def reason(self) -> Text | None:
        """Why the dataset is held: how many cells and in which way, never which or how much."""
        if self.passed:
            return None
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.counts.items()))
        return Text(
            vi=f"Kiểm tra bảo mật thống kê: cùng các số liệu đã công bố, có thể suy ra {len(self.leaks)} ô ({kinds}).",
            en=f"Disclosure audit: with what is published already, {len(self.leaks)} cells could be inferred ({kinds}).",
        )

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(leak.kind for leak in self.leaks))


def screen(
    connection: Connection, publisher: Connection, candidates: Iterable[Candidate], declared: Mapping[str, Dataset],
    build_id: int,
) -> dict[str, Screening]:  # fmt: skip
    """Audit the candidates one after the other, each beside the ledger and those that passed before it.

    connection: as the operator, who keeps the ledger. Only what a candidate adds speaks against it: a cell that the
    public could infer without it is not its fault. Each verdict is a row of `ops.disclosure_audit`.
    """
    known = released.tables(connection)
    found: dict[str, Screening] = {}
    for candidate in candidates:
        rules = rules_of(candidate.dataset, declared)
        if not rules.protects:
            found[rules.slug] = Screening(rules)
            continue
        started = time.monotonic()
        name = released.name_of(rules)
        before = known.get(name, Table(rules))
        own = list(cells_of(rules, candidate.names, candidate.rows))
        trial = {**known, name: Table(rules, before.cells, before.before).take(own)}
        screening = _judge(trial, known, name, _crosswalk(publisher, rules.vintage), started)
        found[rules.slug] = screening = replace(screening, utility=utility(candidate.dataset, own))
        _record(connection, screening, build_id)
        if screening.passed:
            known = trial
    return found


def _judge(
    trial: Mapping[str, Table], known: Mapping[str, Table], name: str, crosswalk: Crosswalk, started: float
) -> Screening:  # fmt: skip
    near = related(trial, name)
    finding = audit(near, crosswalk)
    leaks = finding.leaks
    if leaks:
        old = {key: table for key, table in known.items() if key in near}
        found = sorted(
            audit(old, crosswalk).leaks, key=lambda leak: leak.low - leak.high
        )  # the narrowest last: it counts
        inferred = {(leak.dataset, leak.measure, leak.at): leak for leak in found}
        leaks = tuple(leak for leak in leaks if _is_new(leak, inferred.get((leak.dataset, leak.measure, leak.at))))
    sums, largest = sums_compared(near, name)
    seconds = round(time.monotonic() - started, 3)
    return Screening(trial[name].rules, leaks, finding.cells, finding.protected, None, sums, largest, seconds)


def _is_new(leak: Leak, before: Leak | None) -> bool:
    return before is None or leak.high - leak.low < before.high - before.low


def _crosswalk(publisher: Connection, vintage: str | None) -> Crosswalk:
    """Which former communes became which, as published; nothing where this warehouse has no such list."""
    if vintage is None:
        return {}
    with publisher.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select to_regclass('open_data.administrative_unit_crosswalk') as relation")
        row = cursor.fetchone()
        if row is None or row["relation"] is None:
            return {}
        cursor.execute("select old_code, old_valid_to, new_code from open_data.administrative_unit_crosswalk")
        return crosswalk_of(cursor.fetchall(), vintage)


def _record(connection: Connection, screening: Screening, build_id: int) -> None:
    connection.execute(
        "insert into ops.disclosure_audit (dataset, build_id, passed, cells, withheld, leaks, seconds) "
        "values (%s, %s, %s, %s, %s, %s, %s)",
        [
            screening.rules.slug, build_id, screening.passed, screening.cells, screening.withheld,
            Jsonb(screening.counts), screening.seconds,
        ],
    )  # fmt: skip
