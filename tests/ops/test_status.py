"""What `khochung status` says: freshness against the promise, rows, gates, what is held and what stands above it."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from khochung import contract, load, warehouse
from khochung.cli import main
from khochung.ops import status
from tests.toy_warehouse import Toy

LOAD = """
    insert into ops.load (
        source_name, table_name, load_mode, origin, landing_file, landing_sha256, landing_bytes, as_of, source_rows,
        extracted_rows, refused_rows, duplicate_rows, inserted_rows, updated_rows, unchanged_rows, tombstoned_rows,
        current_rows, contract_sha256, extracted_at, seconds
    ) values ('admin', 'unit', 'snapshot', 'x', 'x', 'x', 100, '{day}', 10, 10, 1, 0, 2, 3, 4, 5, 9, 'x', now(), {seconds})
"""
VERDICT = """
    insert into ops.verdict (scope, subject, build_id, suite_sha256, passed, evaluated, failed, results, seconds, code_sha256,
        suite, fingerprint, seal)
    values ('source', 'admin__unit', {build}, 'x', {passed}, 1, {failed},
        '[{{"expectation": "expect_column_values_to_not_be_null", "success": {passed}}}]', 0, 'x', '{{}}', null, 'x')
"""


@pytest.fixture
def house(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """The toy warehouse on 30 September 2025, with the source `admin` for a contract and nothing loaded."""
    known = {"admin": contract.source("admin")}
    monkeypatch.setattr(contract, "sources", lambda: known)
    monkeypatch.setattr(contract, "datasets", lambda: toy.datasets)
    toy.settings.pinned_day.write_text("2025-09-30\n", encoding="utf-8")
    yield toy
    with warehouse.connect(toy.settings) as administrator:
        administrator.execute("truncate ops.load, ops.inquiry cascade")


def of(found: status.Record, table: str = "unit") -> status.Record:
    return next(one for one in found["sources"] if one["table"] == table)


def test_a_table_is_late_when_nothing_as_new_as_promised_was_loaded(house: Toy) -> None:
    assert of(status.collect(house.settings))["state"] == "never"
    hours = contract.source("admin").fresh_within_hours
    for day, seconds in (("2025-09-26", 1), ("2025-09-27", 3), ("2025-09-28", 9)):
        house.sql(LOAD.format(day=day, seconds=seconds), "loader")
    late = of(status.collect(house.settings))
    assert (late["state"], late["hours_left"]) == ("late", hours - 48)
    assert late["load"]["median_seconds"] == 2 and late["load"]["seconds"] == 9
    rows = [late["load"][f"{name}_rows"] for name in ("refused", "inserted", "updated", "unchanged", "tombstoned")]
    assert (
        rows == [1, 2, 3, 4, 5]
        and "28/09/2025" in late["reason"]
        and late["next_step"] == "khochung source check admin"
    )
    house.sql(LOAD.format(day="2025-09-30", seconds=1), "loader")
    assert (of(status.collect(house.settings))["state"], of(status.collect(house.settings))["hours_left"]) == (
        "ok",
        hours,
    )


def test_a_source_that_was_asked_and_had_nothing_new_is_not_late(house: Toy) -> None:
    house.sql(LOAD.format(day="2025-09-20", seconds=1), "loader")
    assert of(status.collect(house.settings))["state"] == "late"
    table = contract.source("admin").table("unit")
    load.note_inquiry(house.settings, table, date(2025, 9, 30))
    load.note_inquiry(house.settings, table, date(2025, 9, 29))  # an older day does not make it older again
    found = of(status.collect(house.settings))
    assert (found["state"], found["load"]["as_of"]) == ("ok", date(2025, 9, 20))


def test_a_gate_that_failed_is_worse_than_late_and_blocks_what_is_made_from_it(house: Toy, tmp_path: Path) -> None:
    build = house.build()
    house.sql(LOAD.format(day="2025-09-20", seconds=1), "loader")
    house.sql(VERDICT.format(build=build, passed="false", failed=1), "operator")
    model = next(iter(house.datasets.values())).model
    manifest = house.settings.artefacts / "dbt" / "open_data" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    nodes = {f"model.{name}": {"name": name, "resource_type": "model"} for name in (model, "middle")}
    parents = {f"model.{model}": ["model.middle"], "model.middle": ["source.unit"]}
    body = {"nodes": nodes, "sources": {"source.unit": {"identifier": "admin__unit"}}, "parent_map": parents}
    manifest.write_text(json.dumps(body), encoding="utf-8")
    found = status.collect(house.settings)
    assert found["state"] == of(found)["state"] == "failed"
    assert of(found)["gate"] == {
        "passed": False, "evaluated": 1, "failed": 1, "build_id": build, "rules": ["expect_column_values_to_not_be_null"],
    }  # fmt: skip
    blocked = {one["model"]: one["blocked_by"] for one in found["datasets"]}
    assert of(found, "unit_change")["gate"] is None
    assert blocked.pop(model) == ["admin__unit"] and set(map(tuple, blocked.values())) == {()}


def test_a_held_dataset_shows_its_reason_and_its_last_good_version(house: Toy) -> None:
    house.release()
    build = house.build(date(2025, 10, 31))
    house.pass_all(build)
    house.verdict(build, "dan-so-thu", passed=False)
    house.publish(build, date(2025, 10, 31))
    held, fine = sorted(status.collect(house.settings)["datasets"], key=lambda one: str(one["state"]))
    assert (held["slug"], held["state"], held["version"]) == ("dan-so-thu", "held", "2025.9.0")
    assert held["reason"] and held["gate"]["failed"] == 3 and fine["state"] == "ok" and fine["reason"] is None


def test_the_command_says_it_to_people_machines_and_watchdogs(house: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    house.sql(LOAD.format(day="2025-09-20", seconds=1), "loader")
    monkeypatch.setattr("khochung.settings.Settings.from_environment", lambda: house.settings)
    shown = CliRunner().invoke(main, ["status"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0 and "chậm admin.unit" in shown.output and "khochung source check admin" in shown.output
    machine = CliRunner().invoke(main, ["status", "--json", "--exit-code"])
    assert machine.exit_code == 1 and json.loads(machine.output)["sources"][0]["table"] == "unit"
