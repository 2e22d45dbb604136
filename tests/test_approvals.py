"""Whom datasets wait for: the list, the answers, the demonstration, and that an answer wakes the release."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from khochung import approvals, cli, contract, transform, warehouse
from khochung.errors import GateError
from khochung.gate import approval
from tests.toy_warehouse import Toy, server, toy

__all__ = ["server", "toy"]
SLUG = "dan-so-theo-xa"


@pytest.fixture(autouse=True)
def known_author(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(approval.CHANGED_BY, "anh.nam")
    monkeypatch.delenv(approval.DEMONSTRATION, raising=False)


def test_every_dataset_waits_for_its_first_release_and_says_what_to_look_at(toy: Toy) -> None:
    found = {request.slug: request for request in approvals.waiting(toy.settings)}
    assert set(found) == set(contract.datasets())
    people = found[SLUG]
    assert people.reason.en == "first release"
    assert people.files == (
        "dbt_project/models/open_data/_population_by_commune.yml",
        "expectations/open_data/dan-so-theo-xa.json",
        "expectations/warehouse/communes.json",
        "expectations/warehouse/population.json",
    )
    assert people.subject.endswith("(dan-so-theo-xa): công bố lần đầu")
    assert "changed by: anh.nam" in people.body
    assert people.sha256 in people.body


def test_an_answer_is_recorded_once(toy: Toy) -> None:
    asked = next(request for request in approvals.waiting(toy.settings) if request.slug == SLUG)
    made = approvals.answer(toy.settings, SLUG, "approved", "chi.hoa", "airflow", asked.sha256)
    assert (made.decided_by, made.changed_by, made.document_sha256) == ("chi.hoa", ["anh.nam"], asked.sha256)
    assert SLUG not in {request.slug for request in approvals.waiting(toy.settings)}
    with pytest.raises(GateError, match="waits for nobody's approval"):
        approvals.answer(toy.settings, SLUG, "approved", "chi.hoa", "airflow")


def test_what_was_refused_is_not_asked_again_but_may_be_approved(toy: Toy) -> None:
    approvals.answer(toy.settings, SLUG, "refused", "chi.hoa", "airflow")
    assert SLUG not in {request.slug for request in approvals.waiting(toy.settings)}
    assert approvals.answer(toy.settings, SLUG, "approved", "chi.hoa", "command line").decision == "approved"


@pytest.mark.parametrize(
    ("slug", "by", "sha256", "message"),
    [
        ("no-such", "chi.hoa", None, "no dataset or source no-such to decide about: known are"),
        (SLUG, "chi.hoa", "0" * 64, "has changed since it was shown to chi.hoa"),
        (SLUG, "anh.nam", None, "somebody else has to decide"),
    ],
)
def test_an_answer_that_does_not_count(toy: Toy, slug: str, by: str, sha256: str | None, message: str) -> None:
    with pytest.raises(GateError, match=message):
        approvals.answer(toy.settings, slug, "approved", by, "airflow", sha256)
    assert toy.sql("select count(*) from ops.approval", "operator") == [(0,)]


def test_a_demonstration_approves_by_itself_and_says_so(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert approvals.demonstrate(toy.settings) == []
    monkeypatch.setenv(approval.DEMONSTRATION, "demonstration")
    assert set(approvals.demonstrate(toy.settings)) == set(contract.datasets())
    assert approvals.demonstrate(toy.settings) == []
    assert toy.sql("select distinct decided_by, way from ops.approval", "operator") == [
        ("demonstration", "demonstration")
    ]


def test_no_demonstration_lowers_a_suite(toy: Toy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A suite that asks less than the one before waits for a person, whoever decides the rest."""
    monkeypatch.setenv(approval.DEMONSTRATION, "demonstration")
    approvals.demonstrate(toy.settings)
    suites = shutil.copytree(toy.settings.expectations, tmp_path / "expectations")
    rules = json.loads((suites / "open_data" / f"{SLUG}.json").read_text(encoding="utf-8"))
    rules["expectations"] = rules["expectations"][1:]
    (suites / "open_data" / f"{SLUG}.json").write_text(json.dumps(rules), encoding="utf-8")
    object.__setattr__(toy.settings, "expectations", suites)
    assert approvals.demonstrate(toy.settings) == []
    (asked,) = approvals.to_ask(toy.settings)
    assert asked.slug == SLUG
    assert asked.reason.en.startswith("suite lowered: ")


def test_a_decision_wakes_the_release_of_a_build_that_was_through_the_gate(toy: Toy) -> None:
    build_id = toy.build()
    transform.finish(toy.settings, build_id)
    with warehouse.connect(toy.settings, "operator") as connection:
        connection.execute(
            "insert into ops.publication (build_id, release_id, held) values (%s, '2025-09-30.1', '{}')", [build_id]
        )
    assert transform.unpublished(toy.settings) is None
    approvals.answer(toy.settings, SLUG, "approved", "chi.hoa", "airflow")
    waiting = transform.unpublished(toy.settings)
    assert waiting is not None
    assert waiting.build_id == build_id


def test_the_command_lists_and_decides(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHOCHUNG_HOME", str(toy.settings.home))
    monkeypatch.setenv("KHOCHUNG_WAREHOUSE_DSN", str(toy.settings.warehouse_dsn))
    listed = CliRunner().invoke(cli.main, ["approve", "--json"])
    assert {item["slug"] for item in json.loads(listed.output)} == set(contract.datasets())
    done = CliRunner().invoke(cli.main, ["approve", SLUG])
    assert done.output.startswith(f"{SLUG}: approved by "), done.output
    assert SLUG not in CliRunner().invoke(cli.main, ["approve"]).output
    assert "expectations/open_data/danh-muc-tthc.json" in CliRunner().invoke(cli.main, ["approve"]).output
