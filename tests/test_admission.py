"""What may go out: whoever turns a verdict, a suite, the code, the rows or an approval finds the dataset held."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from khochung import access, release, seal, transform, warehouse
from khochung.errors import ConfigurationError, GateError
from khochung.gate import Subject, approval, judge, read_suite
from khochung.gate.lowered import lowered
from khochung.settings import REPOSITORY
from tests.toy_warehouse import Toy, expectation, server, toy, write_suite

__all__ = ["server", "toy"]

OCTOBER = date(2025, 10, 31)
MORE = "insert into open_data.toy_residents values ('27694', '1', 99, false)"
ROWS = expectation("expect_table_row_count_to_be_between", min_value=1)


def as_superuser(toy: Toy, statement: str) -> None:
    with warehouse.connect(toy.settings) as connection:
        connection.execute(statement.encode())


def states(made: release.Release) -> dict[str, str]:
    return {item.slug: item.state for item in made.items}


def csv(toy: Toy) -> str:
    return (toy.settings.public / "data/dan-so-thu/latest/dan-so-thu.csv").read_text(encoding="utf-8")


def held(toy: Toy, build_id: int, **options: Any) -> str:
    """The reason why the toy residents are held, which is also what the public reads; nothing of them has gone out."""
    made = toy.publish(build_id, OCTOBER, **options)
    item = next(item for item in made.items if item.slug == "dan-so-thu")
    assert item.state == "held", item
    assert "27694" not in csv(toy)
    page = (toy.settings.public / "api/v1/status.json").read_text(encoding="utf-8")
    assert '"state": "held"' in page
    assert item.reason is not None
    assert item.reason.split(" / ")[1] in page
    return item.reason


@pytest.fixture
def judged(toy: Toy) -> int:
    """A first release, then a build with one row more that has passed: the number of that build."""
    toy.release()
    toy.sql(MORE)
    build_id = toy.build(OCTOBER)
    toy.pass_all(build_id)
    return build_id


def test_untouched_it_goes_out(toy: Toy, judged: int) -> None:
    assert states(toy.publish(judged, OCTOBER))["dan-so-thu"] == "new"
    assert "27694" in csv(toy)


def test_a_source_that_was_turned_down_holds_everything(toy: Toy, judged: int) -> None:
    """Whoever marks such a build as ended well, and releases it by hand, releases nothing."""
    place = toy.suites.parent / "sources"
    source = Subject("source", "toy_units", "open_data", "toy_units", place / "toy_units.json")
    write_suite(place, "toy_units", expectation("expect_table_row_count_to_be_between", min_value=100))
    judge(toy.settings, judged, "publisher", [source])
    assert "source was not accepted: toy_units" in held(toy, judged)
    write_suite(place, "toy_units", ROWS)
    judge(toy.settings, judged, "publisher", [source])
    assert states(toy.publish(judged, OCTOBER))["dan-so-thu"] == "new"


FORGERIES = {
    "turned": "update ops.verdict set passed = true, failed_severity = null where not passed",
    "turned with its results": (
        "update ops.verdict set passed = true, failed_severity = null, failed = 0, results = (select jsonb_agg("
        "rule || '{\"success\": true}' order by place) from jsonb_array_elements(results) with ordinality as one (rule, place))"
    ),
    "written anew": (
        "insert into ops.verdict (scope, subject, build_id, suite_sha256, passed, evaluated, failed, results, seconds, "
        "code_sha256, suite, fingerprint, judged_at, seal) select scope, subject, build_id, suite_sha256, true, evaluated, 0, "
        "jsonb_path_query_array(results, '$[*]'), seconds, code_sha256, suite, fingerprint, clock_timestamp(), seal "
        "from ops.verdict where subject = 'dan-so-thu' order by verdict_id desc limit 1"
    ),
    "without a seal": "update ops.verdict set passed = true, seal = null",
    "for a looser suite": "update ops.verdict set passed = true, suite = jsonb_set(suite, '{expectations}', '[]')",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_failed_verdict_that_somebody_turns_lets_nothing_out(toy: Toy, judged: int, forgery: str) -> None:
    toy.verdict(judged, "dan-so-thu", passed=False)
    as_superuser(toy, FORGERIES[forgery])
    held(toy, judged)


def test_the_verdict_of_another_build_lets_nothing_out(toy: Toy, judged: int) -> None:
    later = toy.build(OCTOBER)
    as_superuser(toy, f"update ops.verdict set build_id = {later}")
    assert "seal" in held(toy, later)


def test_an_older_verdict_that_is_copied_does_not_stand_over_a_younger_one(toy: Toy, judged: int) -> None:
    toy.verdict(judged, "dan-so-thu", passed=False)
    names = "scope, subject, build_id, suite_sha256, passed, failed_severity, evaluated, failed, results, seconds, code_sha256, suite, fingerprint, judged_at, seal"
    as_superuser(
        toy, f"insert into ops.verdict ({names}) select {names} from ops.verdict where build_id = {judged} and passed"
    )
    assert "Checks failed" in held(toy, judged)


@pytest.mark.parametrize("role", ["loader", "transformer", "analyst", "publisher"])
def test_no_other_role_adds_a_verdict_or_an_approval(toy: Toy, judged: int, role: warehouse.Role) -> None:
    for table in ("verdict", "approval"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            toy.sql(f"insert into ops.{table} default values", role)


@pytest.mark.parametrize("role", ["loader", "transformer", "operator"])
@pytest.mark.parametrize("change", ["update ops.{} set seal = null", "delete from ops.{}", "truncate ops.{} cascade"])
def test_no_role_changes_what_the_gate_has_recorded(toy: Toy, judged: int, role: warehouse.Role, change: str) -> None:
    for table in ("verdict", "approval"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            toy.sql(change.format(table), role)


def test_a_right_to_change_verdicts_is_noticed(toy: Toy) -> None:
    nothing = {"nodes": {}}
    as_superuser(toy, "grant update on ops.verdict to khochung_operator")
    try:
        found = access.differences(toy.settings, nothing)
    finally:
        as_superuser(toy, "revoke update on ops.verdict from khochung_operator")
    assert "khochung_operator may update ops.verdict, which nothing declares: revoke it" in found
    assert not [line for line in access.differences(toy.settings, nothing) if "ops." in line or "released." in line]


def test_rows_that_changed_after_they_were_judged_stay_inside(toy: Toy, judged: int) -> None:
    toy.sql("update open_data.toy_residents set residents = 98 where commune_code = '27694'")
    assert "data have changed" in held(toy, judged)


def test_a_change_of_one_cell_back_and_forth_is_no_change(toy: Toy, judged: int) -> None:
    toy.sql("update open_data.toy_residents set residents = 98 where commune_code = '27694'")
    toy.sql("update open_data.toy_residents set residents = 99 where commune_code = '27694'")
    assert states(toy.publish(judged, OCTOBER))["dan-so-thu"] == "new"


def test_code_that_changed_after_the_build_lets_nothing_out(
    toy: Toy, judged: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transform, "code_sha256", lambda: "another")
    assert "code has changed" in held(toy, judged)


def test_a_build_of_other_code_lets_nothing_out(toy: Toy, judged: int) -> None:
    toy.sql(f"update ops.build set code_sha256 = 'another' where build_id = {judged}", "operator")
    assert "code has changed" in held(toy, judged)


@pytest.mark.parametrize("status", ["running", "failed"])
def test_a_build_that_has_not_ended_well_is_refused(toy: Toy, judged: int, status: str) -> None:
    before = csv(toy)
    toy.sql(f"update ops.build set status = '{status}' where build_id = {judged}", "operator")
    with pytest.raises(GateError, match=f"has not ended well \\({status}\\)"):
        toy.publish(judged, OCTOBER)
    assert csv(toy) == before


def test_a_suite_that_changed_after_the_verdict_lets_nothing_out(toy: Toy, judged: int) -> None:
    write_suite(toy.suites, "dan-so-thu", ROWS)
    assert "suite has changed" in held(toy, judged)


def test_a_suite_that_is_gone_lets_nothing_out(toy: Toy, judged: int) -> None:
    (toy.suites / "dan-so-thu.json").unlink()
    assert "suite has changed" in held(toy, judged)


@pytest.mark.parametrize("text", ["{", '{"name": "dan-so-thu"}'])
def test_a_suite_that_cannot_be_read_lets_nothing_out(toy: Toy, judged: int, text: str) -> None:
    (toy.suites / "dan-so-thu.json").write_text(text, encoding="utf-8")
    assert "suite has changed" in held(toy, judged)


def test_another_key_knows_no_verdict(toy: Toy, judged: int) -> None:
    seal.KEY.make(toy.settings)
    assert "seal" in held(toy, judged)


def test_without_the_key_nothing_is_judged_or_released(toy: Toy, judged: int) -> None:
    seal.KEY.path(toy.settings).unlink()
    with pytest.raises(ConfigurationError, match="the seal of verdicts and approvals"):
        toy.publish(judged, OCTOBER)


# --- suites that ask less


LOWERED: dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "a rule fewer": lambda rules: rules[:-1],
    "less severe": lambda rules: [rules[0], rules[1] | {"severity": "warning"}, rules[2]],
    "a looser bound": lambda rules: [
        rules[0],
        rules[1] | {"kwargs": {"column": "residents", "min_value": 9}},
        rules[2],
    ],
    "another column": lambda rules: [
        rules[0],
        rules[1] | {"kwargs": {"column": "commune_code", "min_value": 10}},
        rules[2],
    ],
}
RULES = [
    ROWS,
    expectation("expect_column_values_to_be_between", column="residents", min_value=10),
    expectation("expect_compound_columns_to_be_unique", column_list=["commune_code", "sex_code"]),
]


@pytest.mark.parametrize("how", LOWERED)
def test_a_lowered_suite_waits_for_somebody(toy: Toy, how: str) -> None:
    toy.release()
    toy.sql(MORE)
    write_suite(toy.suites, "dan-so-thu", *LOWERED[how](RULES))
    build_id = toy.build(OCTOBER)
    toy.pass_all(build_id)
    assert "suite lowered" in held(toy, build_id, approved=False)
    assert states(toy.publish(build_id, OCTOBER, approved=True))["dan-so-thu"] == "new"


def test_a_suite_that_was_raised_and_lowered_again_waits_too(toy: Toy) -> None:
    toy.release()
    write_suite(toy.suites, "dan-so-thu", *RULES, expectation("expect_column_sum_to_be_between", column="residents"))
    build_id = toy.build()
    toy.pass_all(build_id)
    assert states(toy.publish(build_id, approved=False))["dan-so-thu"] == "unchanged"
    toy.sql(MORE)
    write_suite(toy.suites, "dan-so-thu", *RULES)
    build_id = toy.build(OCTOBER)
    toy.pass_all(build_id)
    assert "suite lowered" in held(toy, build_id, approved=False)


def test_a_dropped_topic_is_a_lowered_suite(toy: Toy) -> None:
    topic = write_topic(toy, 0, 10_000)
    toy.release()
    assert toy.sql("select count(*) from ops.verdict where scope = 'warehouse'", "operator") == [(0,)]
    build_id = toy.build()
    toy.judge(build_id)
    toy.publish(build_id)
    topic.unlink()
    toy.sql(MORE)
    build_id = toy.build(OCTOBER)
    toy.pass_all(build_id)
    assert "suite lowered" in held(toy, build_id, approved=False)


@pytest.mark.parametrize(
    ("before", "now", "loss"),
    [
        ({"min_value": 1}, {"min_value": 2}, 0),
        ({"min_value": 2}, {"min_value": 1}, 1),
        ({"min_value": 2}, {}, 1),
        ({}, {"max_value": 5}, 0),
        ({"max_value": 5}, {"max_value": 6}, 1),
        ({"column": "a", "min_value": "2023-07-01"}, {"column": "b", "min_value": 1}, 1),
        ({"column": "a", "min_value": "2023-07-01"}, {"column": "a", "min_value": "2024-07-01"}, 0),
        ({"column": "a"}, {"column": "a", "mostly": 0.9}, 1),
        ({"column": "a", "mostly": 0.9}, {"column": "a"}, 0),
        ({"column": "a", "value_set": ["x", "y"]}, {"column": "a", "value_set": ["y"]}, 0),
        ({"column": "a", "value_set": ["x"]}, {"column": "a", "value_set": ["x", "y"]}, 1),
        ({"column": "a", "regex": "^a$"}, {"column": "a", "regex": "^a"}, 1),
        ({"column_A": "a", "column_B": "b"}, {"column_A": "a", "column_B": "b", "or_equal": True}, 1),
        ({"column_A": "a", "column_B": "b", "or_equal": True}, {"column_A": "a", "column_B": "b"}, 0),
        ({"query": ["select 0 as value"], "max_value": 0}, {"query": ["select 1 as value"], "max_value": 0}, 1),
    ],
)
def test_what_is_looser(tmp_path: Path, before: dict[str, Any], now: dict[str, Any], loss: int) -> None:
    kinds = {
        "value_set": "expect_column_values_to_be_in_set",
        "regex": "expect_column_values_to_match_regex",
        "column_A": "expect_column_pair_values_a_to_be_greater_than_b",
        "query": "expect_query_value_to_be_between",
        "column": "expect_column_values_to_not_be_null",
    }
    kind = next((rule for name, rule in kinds.items() if name in before), "expect_table_row_count_to_be_between")
    if {"column", "min_value"} <= set(before):
        kind = "expect_column_values_to_be_between"
    suites = [
        read_suite(write_suite(tmp_path / str(i), "one", expectation(kind, **kwargs)), "one")
        for i, kwargs in enumerate((before, now))
    ]
    assert len(lowered(suites[0], suites[1])) == loss


@pytest.mark.parametrize("path", sorted((REPOSITORY / "expectations").rglob("*.json")), ids=lambda path: path.stem)
def test_no_reviewed_suite_is_lower_than_itself(path: Path) -> None:
    suite = read_suite(path, path.stem)
    assert lowered(suite, suite) == []
    assert len(lowered(suite, None)) == len(suite.expectations) + len(suite.datasets)


def test_an_evidently_stricter_suite_needs_nobody(toy: Toy) -> None:
    toy.release()
    toy.sql(MORE)
    rules = [ROWS, expectation("expect_column_values_to_be_between", column="residents", min_value=12), RULES[2]]
    write_suite(toy.suites, "dan-so-thu", *rules)
    build_id = toy.build(OCTOBER)
    toy.pass_all(build_id)
    assert states(toy.publish(build_id, OCTOBER, approved=False))["dan-so-thu"] == "new"


# --- topics: tables held against each other


def write_topic(toy: Toy, low: int, high: int, datasets: tuple[str, ...] = ("dan-so-thu",)) -> Path:
    """A topic that bounds the toy residents, and blocks the datasets."""
    query = ["select coalesce(sum(residents), 0) as value", "from open_data.toy_residents"]
    rule = expectation("expect_query_value_to_be_between", query=query, min_value=low, max_value=high)
    path = write_suite(toy.suites.parent / "warehouse", "nguoi", rule)
    body = path.read_text(encoding="utf-8")[:-1]
    path.write_text(
        f'{body}, "relation": "open_data.toy_residents", "datasets": [{", ".join(f"{chr(34)}{d}{chr(34)}" for d in datasets)}]}}',
        encoding="utf-8",
    )
    return path


def test_a_topic_blocks_the_datasets_that_it_names_and_no_other(toy: Toy) -> None:
    write_topic(toy, 0, 10)
    build_id = toy.build()
    found = {(verdict.scope, verdict.subject): verdict for verdict in toy.judge(build_id)}
    assert found["warehouse", "nguoi"].results[0]["observed"] == {"value": 266}
    assert not found["warehouse", "nguoi"].passed
    assert found["dataset", "dan-so-thu"].passed
    made = toy.publish(build_id)
    assert states(made) == {"dan-so-thu": "held", "don-vi-thu": "new"}
    assert "Rule expect_query_value_to_be_between" in (made.items[0].reason or "")


def test_what_a_topic_has_seen_inside_is_told_to_nobody_outside(toy: Toy) -> None:
    """The sum of the toy residents is worked out inside; the report says that the rule holds, and no number."""
    write_topic(toy, 0, 10_000)
    build_id = toy.build()
    toy.judge(build_id)
    toy.publish(build_id)
    report = json.loads((toy.settings.public / "data/dan-so-thu/latest/quality.json").read_text(encoding="utf-8"))
    own, *_, topic = report["checks"]
    assert (topic["suite"], topic["passed"], topic["observed"]) == ("nguoi", True, {})
    assert own["observed"]
    assert "266" not in json.dumps(report)


def test_a_topic_without_a_verdict_holds_its_datasets(toy: Toy) -> None:
    write_topic(toy, 0, 10_000)
    build_id = toy.build()
    toy.pass_all(build_id)
    made = toy.publish(build_id)
    assert states(made) == {"dan-so-thu": "held", "don-vi-thu": "new"}
    assert "no verdict" in (made.items[0].reason or "")


def test_a_query_that_fails_or_says_nothing_is_a_critical_failure(toy: Toy) -> None:
    for query in (["select residents from nowhere"], ["select cast(null as integer) as value"]):
        rule = expectation("expect_query_value_to_be_between", "info", query=query, max_value=1)
        write_suite(toy.suites, "dan-so-thu", ROWS, rule)
        verdict = next(v for v in toy.judge(toy.build()) if v.subject == "dan-so-thu")
        assert (verdict.passed, verdict.results[1]["severity"]) == (False, "critical")


def test_a_topic_that_blocks_nothing_is_refused(toy: Toy) -> None:
    write_topic(toy, 0, 1, ())
    with pytest.raises(GateError, match="which it blocks"):
        toy.judge(toy.build())


# --- against the last version


LAST = [
    ROWS,
    expectation("expect_last_version_row_ratio_to_be_between", min_value=0.8, max_value=1.3),
    expectation("expect_last_version_keys_to_remain", column_list=["commune_code", "sex_code"], min_value=0.9),
    expectation("expect_last_version_shares_to_remain", "warning", column="residents", by="sex_code", max_value=0.05),
]


def test_the_next_version_is_held_against_the_last_one(toy: Toy) -> None:
    write_suite(toy.suites, "dan-so-thu", *LAST)

    def observed() -> list[Any]:
        verdict = next(v for v in toy.judge(toy.build()) if v.subject == "dan-so-thu")
        return [(r["success"], r["observed"].get("value"), r["problem"]) for r in verdict.results[1:]]

    assert observed() == [(True, None, None)] * 3
    toy.release()
    assert observed() == [(True, 1, None), (True, 1, None), (True, 0, None)]
    toy.sql("delete from open_data.toy_residents where commune_code = '28036'")
    assert [one[:2] for one in observed()[:2]] == [(False, 0.5), (False, 0.5)]
    toy.sql("update open_data.toy_residents set residents = 1000 where sex_code = '1'")
    success, moved, _ = observed()[2]
    assert not success
    assert moved == pytest.approx(1000 / 1131 - 120 / 266)


def test_only_a_version_that_is_public_is_the_last_one(toy: Toy) -> None:
    toy.release()
    toy.sql(MORE)
    toy.sql("update open_data.toy_units set unit_name = 'Xã 080185001234' where unit_code = '25510'")
    with pytest.raises(GateError, match="looks like a"):
        toy.release()
    kept = toy.sql("select version, count(*) from released.last_row where slug = 'dan-so-thu' group by 1", "publisher")
    assert kept == [("2025.9.0", 4)]


# --- approval


def decide(toy: Toy, slug: str, by: str, changed_by: set[str], decision: approval.Decision = "approved") -> None:
    with warehouse.connect(toy.settings, "operator", autocommit=True) as ledger:
        about = toy.gatekeeper(ledger, 0).case(toy.datasets[slug]).about
        approval.decide(toy.settings, ledger, about, decision, by, changed_by, "airflow")


def test_a_first_release_waits_for_somebody(toy: Toy) -> None:
    build_id = toy.build()
    toy.pass_all(build_id)
    with pytest.raises(
        GateError, match=r"nothing may be released yet.*\n  dan-so-thu: Waits for approval; first release"
    ):
        toy.publish(build_id, approved=False)
    decide(toy, "dan-so-thu", "chi.hoa", {"anh.nam"})
    made = toy.publish(build_id, approved=False)
    assert states(made) == {"dan-so-thu": "new", "don-vi-thu": "held"}
    assert made.items[1].reason == "Chờ phê duyệt; công bố lần đầu / Waits for approval; first release"
    recorded = toy.sql(
        "select decided_by, changed_by, way, item.slug from ops.release_item as item join ops.approval using (approval_id)",
        "operator",
    )
    assert recorded == [("chi.hoa", ["anh.nam"], "airflow", "dan-so-thu")]


@pytest.mark.parametrize(
    ("by", "changed_by", "message"),
    [
        ("anh.nam", {"Anh.Nam"}, "somebody else has to decide"),
        ("chi.hoa", set(), "is not known"),
        (" ", {"anh.nam"}, "nobody has decided"),
    ],
)
def test_who_made_the_change_does_not_approve_it(toy: Toy, by: str, changed_by: set[str], message: str) -> None:
    with pytest.raises(GateError, match=message):
        decide(toy, "dan-so-thu", by, changed_by)
    assert toy.sql("select count(*) from ops.approval", "operator") == [(0,)]


def test_a_refusal_holds_until_somebody_decides_otherwise(toy: Toy) -> None:
    build_id = toy.build()
    toy.pass_all(build_id)
    decide(toy, "don-vi-thu", "chi.hoa", {"anh.nam"})
    decide(toy, "dan-so-thu", "chi.hoa", {"anh.nam"}, "refused")
    assert "approver refused" in (toy.publish(build_id, approved=False).items[0].reason or "")
    decide(toy, "dan-so-thu", "chi.hoa", {"anh.nam"})
    assert states(toy.publish(build_id, approved=False))["dan-so-thu"] == "new"


def test_an_approval_that_somebody_writes_or_moves_counts_for_nothing(toy: Toy) -> None:
    build_id = toy.build()
    toy.pass_all(build_id)
    decide(toy, "don-vi-thu", "chi.hoa", {"anh.nam"})
    names = "document, decision, decided_by, changed_by, way, decided_at, seal"
    as_superuser(
        toy,
        f"insert into ops.approval (slug, document_sha256, {names}) select 'dan-so-thu', document_sha256, {names} from ops.approval",
    )
    assert states(toy.publish(build_id, approved=False)) == {"dan-so-thu": "held", "don-vi-thu": "new"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: {"columns": tuple(c.model_copy(update={"unit": "người"}) for c in d.columns)}, "schema changed"),
        (lambda d: {"disclosure": d.disclosure.model_copy(update={"zeros": "published"})}, "disclosure policy changed"),
    ],
)
def test_another_schema_or_policy_waits_for_somebody(
    toy: Toy, judged: int, change: Callable[[Any], dict[str, Any]], reason: str
) -> None:
    known = toy.datasets["dan-so-thu"]
    toy.datasets["dan-so-thu"] = known.model_copy(update=change(known))
    assert reason in held(toy, judged, approved=False)
    toy.approve(judged)
    with (
        warehouse.connect(toy.settings, "operator") as ledger,
        warehouse.connect(toy.settings, "publisher") as publisher,
    ):
        assert toy.gatekeeper(ledger, judged).admit(publisher, toy.datasets["dan-so-thu"]).held is None


def test_the_last_author_is_known_to_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(approval.CHANGED_BY, "anh.nam, chi.hoa")
    assert approval.changed_by([tmp_path]) == {"anh.nam", "chi.hoa"}
    monkeypatch.delenv(approval.CHANGED_BY)
    answers = {"log": ["Nguyễn Nam", "anh.nam@tayninh.gov.vn"], "status": []}
    monkeypatch.setattr(approval, "_git", lambda command, *_: answers[command])
    assert approval.changed_by([tmp_path]) == {"Nguyễn Nam", "anh.nam@tayninh.gov.vn", "anh.nam"}
