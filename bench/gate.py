"""The gate: a suite over a table, against one hand-written pass over the same table.

The table has the columns of the resident register and SCALE × 3 million rows; the suite is the register's own. The floor asks
the same things of it in one statement: every rule is one aggregate. Both run over a warm table, on one connection each, in
turn. What Great Expectations costs to import is paid once per process and is not in it.
"""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.figures import Figure, figure, median_pair
from khochung import gate, warehouse
from khochung.gate.engine import Engine
from khochung.settings import Settings

ROWS = 3_000_000
ROUNDS = 3
RELATION = "bench_resident"
FILL = """
    select
        'DC' || lpad(cast(i as text), 9, '0') as record_id,
        case when i % 50 > 0 then '0' || lpad(cast((cast(i as bigint) * 7919) % 100000000000 as text), 11, '0') end as personal_id,
        cast(1930 + i % 95 as text) as birth_year,
        lpad(cast(25000 + i % 3000 as text), 5, '0') as permanent_commune,
        cast(i % 3 as text) as sex_code,
        cast(1 + i % 3 as text) as status_code,
        timestamptz '2025-01-01' + i * interval '1 second' as updated_at,
        repeat('x', 120) as everything_else
    from generate_series(1, {rows}) as i
"""
BY_HAND = {
    "expect_table_row_count_to_be_between": "count(*)",
    "expect_column_values_to_not_be_null": "count({column})",
    # Not count(distinct …), which would keep the whole statement from running in parallel.
    "expect_column_values_to_be_unique": (
        "(select count(*) from (select from staging.{relation} group by {column} having count(*) > 1) as twice)"
    ),
    "expect_column_values_to_be_in_set": "count(*) filter (where {column} not in ({values}))",
    "expect_column_values_to_match_regex": "count(*) filter (where {column} !~ '{regex}')",
}


def figures(settings: Settings) -> Iterator[Figure]:
    """Seconds of the suite against those of one pass."""
    rows = int(ROWS * float(os.environ.get("SCALE", "1")))
    _fill(settings, rows)
    known = next(s for s in gate.source_subjects(settings) if s.name == "population__resident")
    subject = gate.Subject("source", known.name, "staging", RELATION, known.suite)
    suite = gate.read_suite(known.suite, known.name)
    with Engine(settings, "transformer") as engine, warehouse.connect(settings, "transformer") as connection:
        by_hand = by_hand_of(suite)
        broken = [result for result in engine.evaluate(subject, suite) if result["problem"]]
        if broken:
            raise RuntimeError(f"the suite could not be evaluated: {broken}")
        pairs = [
            (
                _seconds(lambda: engine.evaluate(subject, suite)),
                _seconds(lambda: connection.execute(by_hand).fetchone()),
            )
            for _ in range(ROUNDS)
        ]
    value, floor = median_pair(pairs)
    name = f"gate: {len(suite.expectations)} rules over {rows:,} rows"
    yield figure(name, "s", value, floor, "one hand-written pass", 2, at_most=True)
    with warehouse.connect(settings, "transformer") as connection:
        connection.execute(f"drop table staging.{RELATION}".encode())


def by_hand_of(suite: gate.Suite) -> bytes:
    """The rules of a suite as the aggregates of one statement, as somebody would write it who knew them all."""
    asked = []
    for rule in suite.expectations:
        values = ", ".join(f"'{value}'" for value in rule.kwargs.get("value_set", []))
        names = {"column": rule.kwargs.get("column"), "regex": rule.kwargs.get("regex"), "values": values}
        asked.append(BY_HAND[rule.type].format(relation=RELATION, **names))
    return f"select {', '.join(dict.fromkeys(asked))} from staging.{RELATION}".encode()


def _fill(settings: Settings, rows: int) -> None:
    with warehouse.connect(settings, "transformer", autocommit=True) as connection:
        connection.execute(f"drop table if exists staging.{RELATION}".encode())
        connection.execute(f"create table staging.{RELATION} as {FILL.format(rows=rows)}".encode())
        connection.execute(f"vacuum analyze staging.{RELATION}".encode())


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
