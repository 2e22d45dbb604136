"""What nobody may let through alone: a source that asks less, a jump against the last version, a comparison that was not made."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from khochung import approvals, release, warehouse
from khochung.gate import Subject, approval, judge
from khochung.gate.consent import Case
from khochung.release.withdraw import withdraw
from khochung.strict import Text
from tests.test_admission import LAST, as_superuser
from tests.toy_warehouse import Toy, expectation, server, toy, write_suite

__all__ = ["server", "toy"]

SLUG = "dan-so-thu"
SOURCE = "toy_units"
OCTOBER, NOVEMBER = date(2025, 10, 31), date(2025, 11, 30)
MORE = "insert into open_data.toy_residents values ('27694', '1', 99, false)"
STRICT = (
    expectation("expect_table_row_count_to_be_between", min_value=2),
    expectation("expect_column_values_to_be_unique", column="unit_code"),
)


def built(toy: Toy, day: date = OCTOBER) -> int:
    """A build whose source and datasets have passed."""
    build = toy.build(day)
    judge_source(toy, build)
    toy.judge(build)
    return build


def judge_source(toy: Toy, build: int) -> None:
    place = toy.suites.parent / "sources"
    if place.is_dir():
        subject = Subject("source", SOURCE, "open_data", SOURCE, place / f"{SOURCE}.json")
        judge(toy.settings, build, "publisher", [subject])


def source_suite(toy: Toy, *rules: dict[str, Any]) -> None:
    write_suite(toy.suites.parent / "sources", SOURCE, *rules)


def out(toy: Toy, build: int, day: date = OCTOBER, *, approved: bool = False) -> tuple[str, str]:
    """State of the toy residents and the reason, in English."""
    item = next(item for item in toy.publish(build, day, approved=approved).items if item.slug == SLUG)
    return item.state, (item.reason or "").rpartition(" / ")[2]


def decide(toy: Toy, build: int, slug: str, decision: approval.Decision = "approved") -> approval.Approval:
    with warehouse.connect(toy.settings, "operator", autocommit=True) as ledger:
        (case,) = (c for c in toy.gatekeeper(ledger, build).cases(toy.datasets.values()) if c.slug == slug)
        return approval.decide(toy.settings, ledger, case.about, decision, "chi.hoa", {"anh.nam"}, "airflow")


def case_of(toy: Toy, build: int) -> Case:
    with warehouse.connect(toy.settings, "operator", autocommit=True) as ledger:
        return toy.gatekeeper(ledger, build).case(toy.datasets[SLUG])


def provenance(toy: Toy, version: str) -> Any:
    return json.loads((toy.settings.public / f"data/{SLUG}/v/{version}/provenance.json").read_text(encoding="utf-8"))


# --- sources


@pytest.fixture
def sourced(toy: Toy) -> Toy:
    """A first release whose source was judged by a strict suite."""
    source_suite(toy, *STRICT)
    assert out(toy, built(toy, date(2025, 9, 30)), date(2025, 9, 30), approved=True)[0] == "new"
    return toy


LOWER: dict[str, Callable[[], tuple[dict[str, Any], ...]]] = {
    "a rule fewer": lambda: STRICT[:1],
    "a looser bound": lambda: (expectation("expect_table_row_count_to_be_between", min_value=1), STRICT[1]),
    "less severe": lambda: (STRICT[0], STRICT[1] | {"severity": "warning"}),
}


@pytest.mark.parametrize("how", LOWER)
def test_a_lowered_source_holds_everything_until_somebody_has_looked(sourced: Toy, how: str) -> None:
    source_suite(sourced, *LOWER[how]())
    sourced.sql(MORE)
    build = built(sourced)
    state, reason = out(sourced, build)
    assert state == "held" and "Source toy_units; Waits for approval; suite lowered" in reason
    assert out(sourced, build)[0] == "held", "a release that holds everything is not what the next one is compared with"
    made = decide(sourced, build, SOURCE)
    assert made.changed_by == ["anh.nam"]
    assert out(sourced, build) == ("new", "")
    assert provenance(sourced, "2025.10.0")["source_approvals"] == [made.approval_id]
    recorded = "select source_approvals from ops.release order by released_at desc limit 1"
    assert sourced.sql(recorded, "operator") == [([made.approval_id],)]


def test_a_refused_source_holds_everything(sourced: Toy) -> None:
    source_suite(sourced, *STRICT[:1])
    build = built(sourced)
    decide(sourced, build, SOURCE, "refused")
    state, reason = out(sourced, build)
    assert state == "held" and "The approver refused." in reason


def test_a_source_that_was_raised_and_lowered_again_waits_again(sourced: Toy) -> None:
    source_suite(sourced, *STRICT[:1])
    build = built(sourced)
    decide(sourced, build, SOURCE)
    assert out(sourced, build)[0] == "unchanged"
    sourced.sql(MORE)
    source_suite(sourced, *STRICT)
    assert out(sourced, built(sourced))[0] == "new"
    source_suite(sourced, *STRICT[:1])
    assert out(sourced, built(sourced))[0] == "held"


def test_a_source_without_a_verdict_or_a_suite_holds_everything(sourced: Toy) -> None:
    build = sourced.build(OCTOBER)
    sourced.judge(build)
    assert out(sourced, build) == ("held", "A source was not accepted: toy_units.")
    (sourced.suites.parent / "sources" / f"{SOURCE}.json").unlink()
    state, reason = out(sourced, build)
    assert state == "held" and "Source toy_units; Waits for approval; suite lowered" in reason


def test_verdicts_on_sources_that_somebody_took_away_or_wrote_let_nothing_out(sourced: Toy) -> None:
    sourced.sql(MORE)
    build = built(sourced)
    as_superuser(sourced, "update ops.verdict set suite = null where scope = 'source'")
    assert out(sourced, build)[0] == "held"
    later = built(sourced)
    state, reason = out(sourced, later)
    assert state == "held" and "the verdict of the last release cannot be verified" in reason
    decide(sourced, later, SOURCE)
    assert out(sourced, later) == ("new", "")


def test_the_demonstration_accepts_a_new_source_and_lowers_none(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(approval.DEMONSTRATION, "demonstration")
    object.__setattr__(toy.settings, "expectations", toy.suites.parent)
    toy.suites.rename(toy.suites.parent / "open_data")
    toy.suites = toy.suites.parent / "open_data"
    monkeypatch.setattr("khochung.approvals.contract.datasets", lambda: toy.datasets)
    release.publish(toy.settings, approve(toy, built(toy)), OCTOBER, datasets=toy.datasets, suites=toy.suites)
    source_suite(toy, *STRICT)
    build = approve(toy, built(toy))
    assert out(toy, build) == ("unchanged", "")
    source_suite(toy, *STRICT[:1])
    approve(toy, built(toy))
    assert [(asked.slug, asked.is_lowered) for asked in approvals.to_ask(toy.settings)] == [(SOURCE, True)]


def approve(toy: Toy, build: int) -> int:
    """What the demonstration decides by itself."""
    approvals.demonstrate(toy.settings)
    return build


# --- a jump against the last version


@pytest.fixture
def jumped(toy: Toy) -> int:
    """A build in which most rows of the last version are gone, and nobody has loosened a bound."""
    write_suite(toy.suites, SLUG, *LAST)
    assert out(toy, built(toy, date(2025, 9, 30)), date(2025, 9, 30), approved=True)[0] == "new"
    toy.sql("delete from open_data.toy_residents where commune_code = '28036'")
    return built(toy)


def test_a_jump_is_accepted_by_somebody_and_the_release_says_by_whom(toy: Toy, jumped: int) -> None:
    state, reason = out(toy, jumped)
    assert state == "held"
    assert "differs from the last version more than allowed" in reason and "(now: 0.5)" in reason
    suite = (toy.suites / f"{SLUG}.json").read_bytes()
    made = decide(toy, jumped, SLUG)
    assert out(toy, jumped) == ("new", "")
    assert (toy.suites / f"{SLUG}.json").read_bytes() == suite
    item = "select approval_id from ops.release_item join ops.release using (release_id) where slug = 'dan-so-thu' and state = 'new' order by released_at desc limit 1"
    assert toy.sql(item, "operator") == [(made.approval_id,)]
    report = json.loads((toy.settings.public / f"data/{SLUG}/v/2025.10.0/quality.json").read_text(encoding="utf-8"))
    assert report["passed"] is True and report["checks_failed"] == 2
    failed = [(check["check"], check["accepted"]) for check in report["checks"] if not check["passed"]]
    assert failed == [(rule["type"], made.approval_id) for rule in LAST[1:3]]
    assert release.verify(toy.settings.public).problems == []
    assert out(toy, built(toy, NOVEMBER), NOVEMBER) == ("unchanged", ""), "against itself there is no jump"


def test_a_jump_is_accepted_for_these_very_rows_alone(toy: Toy, jumped: int) -> None:
    decide(toy, jumped, SLUG)
    toy.sql("delete from open_data.toy_residents where sex_code = '2'")
    assert out(toy, built(toy))[0] == "held"


def test_a_jump_excuses_no_other_failure(toy: Toy, jumped: int) -> None:
    rules = [*LAST, expectation("expect_column_sum_to_be_between", column="residents", max_value=10)]
    write_suite(toy.suites, SLUG, *rules)
    build = built(toy)
    decide(toy, build, SLUG)
    state, reason = out(toy, build)
    assert state == "held" and reason == "Checks failed: Rule expect_column_sum_to_be_between"


def test_no_demonstration_accepts_a_jump(toy: Toy, jumped: int) -> None:
    case = case_of(toy, jumped)
    assert case.waits and case.is_for_people
    with warehouse.connect(toy.settings, "operator", autocommit=True) as ledger:
        about = case.about
        approval.decide(toy.settings, ledger, about, "refused", "chi.hoa", {"anh.nam"}, "airflow")
    assert out(toy, jumped) == ("held", "The approver refused.")


# --- the rows of the last version

TAMPERED = {
    "a row is gone": "delete from released.version_row where cells ->> 'commune_code' = '28036'",
    "all rows are gone": "delete from released.version_row",
    "a row is another one": "update released.version_row set cells = jsonb_set(cells, '{residents}', '7') where cells ->> 'residents' = '15'",
    "rows are of another version": "update released.version_row set version = '2025.8.0'",
    "the seal is gone": "delete from released.version_seal",
    "the seal is of other rows": "with gone as (delete from released.version_row where cells ->> 'commune_code' = '28036') update released.version_seal set fingerprint = '2:1:1'",
    "nothing was ever released": "delete from ops.release_item",
}


@pytest.mark.parametrize("how", TAMPERED)
def test_whoever_turns_the_last_version_finds_the_next_one_held(toy: Toy, how: str) -> None:
    """Rows go, and with them what would have shown it."""
    write_suite(toy.suites, SLUG, *LAST)
    out(toy, built(toy, date(2025, 9, 30)), date(2025, 9, 30), approved=True)
    toy.sql("delete from open_data.toy_residents where commune_code = '28036'")
    as_superuser(toy, TAMPERED[how])
    state, reason = out(toy, built(toy))
    assert state == "held"
    assert "it could not be held against the last version" in reason or "differs from the last version" in reason
    if how != "a row is another one":
        assert "it could not be held" in reason


def test_rows_that_come_back_after_the_judgement_help_nobody(toy: Toy) -> None:
    write_suite(toy.suites, SLUG, *LAST)
    out(toy, built(toy, date(2025, 9, 30)), date(2025, 9, 30), approved=True)
    toy.sql("delete from open_data.toy_residents where commune_code = '28036'")
    as_superuser(toy, "create table released.aside as table released.version_row")
    as_superuser(toy, "delete from released.version_row")
    build = built(toy)
    as_superuser(toy, "insert into released.version_row table released.aside")
    as_superuser(toy, "drop table released.aside")
    assert "it could not be held against the last version" in out(toy, build)[1]


def test_a_last_version_that_was_lost_is_kept_again_where_nothing_has_changed(toy: Toy) -> None:
    """A home from before rows were sealed, for one: nobody is asked."""
    toy.release()
    as_superuser(toy, "delete from released.version_seal")
    assert out(toy, built(toy)) == ("unchanged", "")
    toy.sql(MORE)
    assert out(toy, built(toy)) == ("new", "")


def test_after_a_withdrawal_the_next_version_is_held_against_the_one_before(toy: Toy) -> None:
    write_suite(toy.suites, SLUG, *LAST)
    out(toy, built(toy, date(2025, 9, 30)), date(2025, 9, 30), approved=True)
    toy.sql(MORE)
    assert out(toy, built(toy))[0] == "new"
    withdraw(toy.settings, SLUG, "2025.10.0", Text(vi="Nhầm.", en="Wrong."), on=OCTOBER, datasets=toy.datasets)
    toy.sql("delete from open_data.toy_residents where residents > 15")
    assert "(now: 0.5)" in out(toy, built(toy))[1], "two rows of four"


# --- what was released last

TURNED = {
    "an approval that was not used yet": "update ops.release_item set approval_id = 0",
    "a release that did not carry it": "update ops.release_item set state = 'held' where version = '2025.9.0' and release_id like '2025-10%'",
    "another build": "update ops.release set build_id = (select min(build_id) from ops.build)",
}


@pytest.mark.parametrize("how", TURNED)
def test_an_approval_counts_once_whatever_somebody_writes_of_releases(toy: Toy, how: str) -> None:
    """A suite that was lowered with somebody's consent, raised, and is lowered again."""
    out(toy, built(toy, date(2025, 9, 30)), date(2025, 9, 30), approved=True)
    strict = (toy.suites / f"{SLUG}.json").read_bytes()
    lower = json.loads(strict)
    del lower["expectations"][2]
    (toy.suites / f"{SLUG}.json").write_text(json.dumps(lower), encoding="utf-8")
    build = built(toy)
    decide(toy, build, SLUG)
    toy.sql("update open_data.toy_units set area_km2 = 11 where unit_code = '27694'")
    assert out(toy, built(toy))[0] == "unchanged"
    (toy.suites / f"{SLUG}.json").write_bytes(strict)
    toy.sql("update open_data.toy_units set area_km2 = 12 where unit_code = '27694'")
    assert out(toy, built(toy))[0] == "unchanged"
    (toy.suites / f"{SLUG}.json").write_text(json.dumps(lower), encoding="utf-8")
    toy.sql(MORE)
    as_superuser(toy, TURNED[how])
    build = built(toy)
    state, reason = out(toy, build)
    assert state == "held" and "Waits for approval" in reason
    assert out(toy, build, approved=True) == ("new", ""), "somebody looks at these very rows"


def test_a_ledger_from_before_it_was_sealed_is_sealed_from_the_manifest(toy: Toy) -> None:
    toy.release()
    as_superuser(toy, "update ops.release_item set seal = null, approval_id = 0")
    as_superuser(toy, "update ops.release set seal = null")
    toy.sql(MORE)
    assert out(toy, built(toy)) == ("new", "")
    rows = "select count(*) filter (where seal is null), min(approval_id) from ops.release_item"
    assert toy.sql(rows, "operator") == [(0, 1)]
