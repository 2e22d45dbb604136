"""The reviewed suites: one for every contract table and dataset, and not one rule that cannot fail."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import find
from hypothesis import strategies as st
from psycopg import sql

from khochung import contract, gate, warehouse
from khochung.settings import Settings
from tests.toy_warehouse import server

__all__ = ["server"]

SETTINGS = Settings(Path("/nonexistent"))
# Without precision, so that a spoilt copy can hold numbers far outside it.
COLUMNS: dict[str, dict[str, str]] = {
    table.relation: {column.name: str(column.data_type) for column in table.columns}
    for source in contract.sources().values()
    for table in source.tables
} | {
    slug: {c.name: c.data_type.partition("(")[0] for c in dataset.columns}
    for slug, dataset in contract.datasets().items()
}
TOPICS = gate.warehouse_subjects(SETTINGS.expectations / "warehouse")
SUBJECTS = [*gate.source_subjects(SETTINGS), *gate.dataset_subjects(SETTINGS)]
# Copies of a table, each spoilt in one way; together they must turn every rule of its suite red.
SPOILT = ("empty", "absent", "wrong", "low", "many")


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_suite_exists_and_names_only_columns_that_exist(subject: gate.Subject) -> None:
    suite = gate.read_suite(subject.suite, subject.name)
    named = {column for expectation in suite.expectations for column in expectation.columns}
    assert named <= set(COLUMNS[subject.name])
    assert any(expectation.severity == "critical" for expectation in suite.expectations)


def test_no_suite_is_left_over() -> None:
    known = {subject.suite for subject in (*SUBJECTS, *TOPICS)}
    assert set(SETTINGS.expectations.rglob("*.json")) == known


def test_topics_block_datasets_that_exist_and_each_dataset_is_held_against_something() -> None:
    blocked = {slug for topic in TOPICS for slug in gate.read_suite(topic.suite, topic.name).datasets}
    # The catalogue of procedures stands alone: no other table says what it must be.
    assert blocked == set(contract.datasets()) - {"danh-muc-tthc"}


def test_every_dataset_is_held_against_its_last_version() -> None:
    for slug, dataset in contract.datasets().items():
        suite = gate.read_suite(SETTINGS.expectations / "open_data" / f"{slug}.json", slug)
        rules = {rule.type: rule for rule in suite.expectations if rule.severity == "critical"}
        assert "expect_last_version_row_ratio_to_be_between" in rules, slug
        assert set(rules["expect_last_version_keys_to_remain"].kwargs["column_list"]) <= set(dataset.key), slug


def test_people_are_never_counted_below_the_threshold() -> None:
    """Every count that the policy protects carries a critical rule for the threshold."""
    for slug, dataset in contract.datasets().items():
        names = {column.name for column in dataset.columns}
        counts = {name.removesuffix("_suppressed") for name in names if name.endswith("_suppressed")}
        suite = gate.read_suite(SETTINGS.expectations / "open_data" / f"{slug}.json", slug)
        guarded = {
            expectation.kwargs["column"]
            for expectation in suite.expectations
            if expectation.type == "expect_column_values_to_be_between"
            and expectation.kwargs["column"] in counts
            and expectation.severity == "critical"
            and "mostly" not in expectation.kwargs
            and expectation.kwargs.get("min_value", 0) >= dataset.disclosure.threshold
        }
        if dataset.disclosure.method == "cell_key":
            assert counts, f"{slug}: no measure has a column <measure>_suppressed"
            assert counts <= guarded & names, f"{slug}: {counts - guarded}"


@pytest.fixture(scope="module")
def outcomes(server: Settings) -> dict[tuple[str, str], gate.Verdict]:
    """Every suite over a sound row, and over each spoilt copy: (subject, copy) -> verdict."""
    subjects = []
    for subject in SUBJECTS:
        suite = gate.read_suite(subject.suite, subject.name)
        for copy in ("sound", *SPOILT):
            relation = f"{copy}__{subject.relation}"[:60]
            _create(server, relation, COLUMNS[subject.name], _rows(copy, suite, COLUMNS[subject.name]))
            subjects.append((copy, gate.Subject(subject.scope, subject.name, "staging", relation, subject.suite)))
    with warehouse.connect(server, "operator") as connection:
        row = connection.execute(
            "insert into ops.build (as_of, loads_until, code_sha256) values ('2025-09-30', 0, 'x') returning build_id"
        ).fetchone()
    assert row
    _release(server)
    verdicts = gate.judge(server, row[0], "transformer", [subject for _, subject in subjects])
    return {(v.subject, copy): v for (copy, _), v in zip(subjects, verdicts, strict=True)}


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_sound_rows_pass_and_every_rule_can_fail(
    subject: gate.Subject, outcomes: dict[tuple[str, str], gate.Verdict]
) -> None:
    sound = [
        (result["expectation"], result["column"], result["problem"])
        for result in outcomes[subject.name, "sound"].results
        if not result["success"] and not result["expectation"].startswith(("expect_table", "expect_column_unique"))
    ]
    assert sound == []
    alive = {
        result["place"]
        for copy in SPOILT
        for result in outcomes[subject.name, copy].results
        if not result["success"] and result["problem"] is None
    }
    asleep = [r for r in outcomes[subject.name, "sound"].results if r["place"] not in alive]
    assert asleep == []
    assert any(not outcomes[subject.name, copy].passed for copy in SPOILT)


def _release(server: Settings) -> None:
    """The sound rows of every dataset are its last version."""
    with warehouse.connect(server) as connection:
        connection.execute("delete from ops.release_item; delete from ops.release; delete from released.version_row")
        connection.execute(
            "insert into ops.release (release_id, as_of, build_id) "
            "select '2025-09-30.1', '2025-09-30', max(build_id) from ops.build"
        )
        for slug, dataset in contract.datasets().items():
            connection.execute(
                "insert into ops.release_item (release_id, slug, version, state) values ('2025-09-30.1', %s, '2025.9.0', 'new')",
                [slug],
            )
            copy = sql.SQL("insert into released.version_row select %s, '2025.9.0', to_jsonb(part) from {} as part")
            connection.execute(copy.format(sql.Identifier("staging", f"sound__{dataset.model}"[:60])), [slug])


def _create(server: Settings, relation: str, columns: dict[str, str], rows: Sequence[Sequence[Any]]) -> None:
    with warehouse.connect(server, "transformer") as connection:
        name = sql.Identifier("staging", relation)
        declared = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(t)) for c, t in columns.items()
        )
        connection.execute(sql.SQL("drop table if exists {}").format(name))
        connection.execute(sql.SQL("create table {} ({})").format(name, declared))
        marks = sql.SQL(", ").join(sql.SQL("%s::{}").format(sql.SQL(t)) for t in columns.values())
        connection.cursor().executemany(sql.SQL("insert into {} values ({})").format(name, marks), rows)


def _rows(copy: str, suite: gate.Suite, columns: dict[str, str]) -> list[list[Any]]:
    if copy == "empty":
        return []
    if copy == "absent":
        return [[None] * len(columns)] * 2
    if copy == "sound":
        return [[_sound(suite, column, kind) for column, kind in columns.items()]]
    if copy == "many":
        return [[_one_of_many(kind, i) for kind in columns.values()] for i in range(120)]
    seconds = {e.kwargs["column_B"] for e in suite.expectations if "column_B" in e.kwargs}
    return [[_spoilt(kind, copy == "wrong" or column in seconds) for column, kind in columns.items()]] * 2


def _sound(suite: gate.Suite, column: str, kind: str) -> Any:
    """A value that every rule about `column` accepts."""
    rules = {e.type: e.kwargs for e in suite.expectations if e.kwargs.get("column") == column}
    if "expect_column_values_to_be_in_set" in rules:
        return rules["expect_column_values_to_be_in_set"]["value_set"][0]
    if "expect_column_values_to_match_regex" in rules:
        pattern = rules["expect_column_values_to_match_regex"]["regex"].removeprefix("^").removesuffix("$")
        return find(st.from_regex(pattern, fullmatch=True), str.isprintable)
    bounds = rules.get("expect_column_values_to_be_between", {})
    return bounds.get("min_value", bounds.get("max_value", _plain(kind)))


def _plain(kind: str) -> Any:
    plain = {
        "date": date(2025, 7, 1),
        "boolean": True,
        "jsonb": "[]",
        "uuid": "00000000-0000-4000-8000-000000000000",
    }
    if kind.startswith("timestamp"):
        return datetime(2025, 7, 1)
    return plain.get(kind, "x" if kind == "text" else 1)


def _one_of_many(kind: str, place: int) -> Any:
    return f"§{place}" if kind == "text" else _plain(kind)


def _spoilt(kind: str, high: bool) -> Any:
    """A value outside every plausible range, twice in a column, above or below."""
    if kind == "date" or kind.startswith("timestamp"):
        return date(2900, 1, 1) if high else date(1500, 1, 1)
    if kind in ("integer", "bigint", "double precision") or kind.startswith("numeric"):
        return 999_999_999 if high else -999_999_999
    return "§" if kind == "text" else _plain(kind)


def test_suites_are_canonical_json() -> None:
    for subject in (*SUBJECTS, *TOPICS):
        assert json.loads(subject.suite.read_text(encoding="utf-8"))["name"], subject.name
