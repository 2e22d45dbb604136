"""Tables held against each other: every rule passes over the hand-made province, and every rule can fail."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from khochung import gate, warehouse
from khochung.gate.suites import Expectation
from khochung.settings import Settings

RULES = [
    (f"{topic.name} {place}", rule)
    for topic in gate.warehouse_subjects(Settings.from_environment().expectations / "warehouse")
    for place, rule in enumerate(gate.read_suite(topic.suite, topic.name).expectations)
]
RELATION = re.compile(r"\b(?:marts|kpi|open_data)\.[a-z_]+")
# What may become of a table: rows are lost, one or all, or a join has multiplied them.
SPOILT = (
    "delete from {0}",
    "delete from {0} where ctid = (select percentile_disc(0.5) within group (order by ctid) from {0})",
    "insert into {0} select * from {0}",
)


def value(connection: warehouse.Connection, rule: Expectation) -> Any:
    row = connection.execute("\n".join(rule.kwargs["query"]).encode()).fetchone()
    return row[0] if row else None


def holds(rule: Expectation, found: Any) -> bool:
    low, high = rule.kwargs.get("min_value"), rule.kwargs.get("max_value")
    return (low is None or found >= low) and (high is None or found <= high)


@pytest.fixture(scope="module")
def connection(built: Settings) -> Iterator[warehouse.Connection]:
    with warehouse.connect(built, "transformer", autocommit=True) as opened:
        yield opened


@pytest.mark.parametrize(("name", "rule"), RULES, ids=[name for name, _ in RULES])
def test_a_rule_holds_and_fails_when_a_table_is_spoilt(
    connection: warehouse.Connection, name: str, rule: Expectation
) -> None:
    assert holds(rule, value(connection, rule)) or rule.severity == "warning", value(connection, rule)
    spoilt = []
    for relation in sorted(set(RELATION.findall("\n".join(rule.kwargs["query"])))):
        for how in SPOILT:
            with connection.transaction(force_rollback=True):
                connection.execute(how.format(relation).encode())
                spoilt.append(holds(rule, value(connection, rule)))
    assert not all(spoilt), f"{name}: nothing turns it red"


def test_topics_are_judged_in_the_warehouse(built: Settings) -> None:
    """The same rules through the engine: evaluated, and with the numbers that they found."""
    with warehouse.connect(built, "operator") as opened:
        row = opened.execute(
            "insert into ops.build (as_of, loads_until, code_sha256) values ('2025-09-30', 0, 'x') returning build_id"
        ).fetchone()
    topics = gate.warehouse_subjects(built.expectations / "warehouse")
    verdicts = gate.judge(built, row[0] if row else 0, "transformer", topics)
    assert [r for verdict in verdicts for r in verdict.results if r["problem"]] == []
    assert [verdict.subject for verdict in verdicts if not verdict.passed] == []
    assert all("value" in result["observed"] for verdict in verdicts for result in verdict.results)
