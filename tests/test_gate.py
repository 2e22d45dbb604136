"""The gate: suites are read strictly, verdicts are recorded, and nothing passes without having been evaluated."""

import json
from pathlib import Path
from typing import Any

import pytest

from khochung import gate
from khochung.errors import GateError
from tests.toy_warehouse import Toy, expectation, server, toy, write_suite

__all__ = ["server", "toy"]
ROWS = expectation("expect_table_row_count_to_be_between", min_value=1)


def units(made: Toy, *rules: dict[str, Any]) -> gate.Verdict:
    """The verdict on the toy units (role publisher) under these rules."""
    write_suite(made.suites, "don-vi-thu", *rules)
    only = {"don-vi-thu": made.datasets["don-vi-thu"]}
    return gate.judge_datasets(made.settings, made.build(), catalogue=only, folder=made.suites)[0]


def test_a_verdict_is_a_row_with_counts_and_no_values(toy: Toy) -> None:
    rule = expectation("expect_column_values_to_match_regex", column="unit_name", regex="^Xã")
    verdict = units(toy, ROWS, rule)
    assert (verdict.passed, verdict.failed_severity, verdict.evaluated, verdict.failed) == (
        False,
        "critical",
        2,
        1,
    )
    assert verdict.results[1]["observed"] == {"rows": 3, "unexpected": 1, "missing": 0}
    rows = toy.sql("select scope, subject, build_id, suite_sha256, passed, results::text from ops.verdict", "operator")
    assert rows[0][:5] == (
        "dataset",
        "don-vi-thu",
        1,
        gate.suite_sha256(toy.suites / "don-vi-thu.json"),
        False,
    )
    assert "Long An" not in rows[0][5]


@pytest.mark.parametrize(("severity", "passed"), [("critical", False), ("warning", True), ("info", True)])
def test_only_critical_failures_block(toy: Toy, severity: str, passed: bool) -> None:
    verdict = units(toy, ROWS, expectation("expect_column_values_to_not_be_null", severity, column="area_km2"))
    assert (verdict.passed, verdict.failed_severity, verdict.failed) == (passed, severity, 1)


@pytest.mark.parametrize(
    "rule",
    [
        expectation("expect_column_values_to_not_be_null", "info", column="no_such_column"),
        expectation("expect_column_values_to_match_regex", "info", column="area_km2", regex="^1"),
        expectation("expect_column_sum_to_be_between", "info", column="unit_name", min_value=1),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_a_critical_failure(toy: Toy, rule: dict[str, Any]) -> None:
    verdict = units(toy, ROWS, rule)
    assert (verdict.passed, verdict.failed_severity) == (False, "critical")
    assert "could not be evaluated" in verdict.results[1]["problem"]
    assert verdict.results[0]["success"]


def test_a_missing_relation_fails_and_the_others_are_judged(toy: Toy) -> None:
    toy.sql("drop table open_data.toy_residents")
    first, second = toy.judge(toy.build())
    assert (first.subject, first.passed, first.failed) == ("dan-so-thu", False, 3)
    assert "missing or not readable" in first.results[0]["problem"]
    assert second.passed


def test_a_missing_suite_is_an_error_and_the_others_are_judged(toy: Toy) -> None:
    (toy.suites / "dan-so-thu.json").unlink()
    with pytest.raises(GateError, match="1 of 2 suites cannot be used:\ndan-so-thu has no suite"):
        toy.judge(toy.build())
    assert toy.sql("select subject from ops.verdict", "operator") == [("don-vi-thu",)]


def test_nothing_to_judge_is_an_error(toy: Toy) -> None:
    with pytest.raises(GateError, match="nothing was judged"):
        gate.judge_datasets(toy.settings, toy.build(), catalogue={}, folder=toy.suites)


def test_datasets_are_judged_with_the_eyes_of_the_publisher(toy: Toy) -> None:
    """What the publisher may not read cannot pass, whoever wrote it."""
    toy.sql("revoke select on open_data.toy_units from khochung_publisher")
    assert not units(toy, ROWS).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expectations": []}, "expectations"),
        ({"subject": "other"}, "is about other: expected subject toy"),
        ({"color": "red"}, "color: Extra inputs"),
        ({"expectations": [ROWS | {"type": "expect_magic"}]}, "unknown type expect_magic; known: "),
        ({"expectations": [ROWS | {"severity": "fatal"}]}, "severity"),
        ({"expectations": [ROWS | {"kwargs": {"minimum": 1}}]}, "does not take minimum"),
        ({"expectations": [expectation("expect_column_values_to_be_in_set", column="a")]}, "needs value_set"),
        ({"expectations": [ROWS | {"meta": {"vi": "a", "en": "b"}}]}, "next_steps"),
    ],
)
def test_a_malformed_suite_is_refused_by_name(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "toy.json"
    path.write_text(json.dumps({"name": "toy", "subject": "toy", "expectations": [ROWS]} | change), encoding="utf-8")
    with pytest.raises(GateError, match=r"toy\.json") as caught:
        gate.read_suite(path, "toy")
    assert message in str(caught.value)


def test_text_that_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "toy.json").write_text("{", encoding="utf-8")
    with pytest.raises(GateError, match="is not JSON"):
        gate.read_suite(tmp_path / "toy.json", "toy")


def test_layout_does_not_change_the_identity_of_a_suite(tmp_path: Path) -> None:
    first = write_suite(tmp_path, "toy", ROWS)
    (tmp_path / "b.json").write_text(
        json.dumps(json.loads(first.read_text()), indent=4, sort_keys=True), encoding="utf-8"
    )
    assert gate.suite_sha256(first) == gate.suite_sha256(tmp_path / "b.json")
    write_suite(tmp_path, "c", ROWS)
    assert gate.suite_sha256(first) != gate.suite_sha256(tmp_path / "c.json")


def test_importing_the_gate_does_not_import_great_expectations() -> None:
    import subprocess
    import sys

    code = "import sys, khochung.gate, khochung.release; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_data_docs_show_counts_and_what_to_do_and_no_value(toy: Toy) -> None:
    rule = expectation("expect_column_values_to_match_regex", column="unit_name", regex="^Xã")
    units(toy, ROWS, rule)
    units(toy, ROWS, rule)
    folder = toy.settings.artefacts / "data-docs"
    page = (folder / "dataset.don-vi-thu.html").read_text(encoding="utf-8")
    assert "Rule expect_column_values_to_match_regex" in page
    assert "unexpected 1<br>" in page
    assert "Look at the model." in page
    assert page.count('<td class="failed">failed</td>') == 1 + 2, "the rule, and both judgements"
    assert {path.name for path in folder.iterdir()} == {"index.html", "dataset.don-vi-thu.html"}
    everything = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    assert "Long An" not in everything
    assert "http" not in everything
