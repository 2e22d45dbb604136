"""Rules for every DAG, read once in a fresh interpreter with an Airflow home of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from khochung import contract
from khochung.settings import REPOSITORY

HEAVY = ("pyarrow", "psycopg", "pandas", "great_expectations", "dbt", "httpx", "openpyxl")
# Prints every DAG as JSON. The database does not exist: a DAG file that asked it something would fail.
READ = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
bag = DagBag(sys.argv[1])
heavy = sorted({name.split(".")[0] for name in set(sys.modules) - before} & set(sys.argv[2].split(",")))
def asset_names(timetable):
    condition = getattr(timetable, "asset_condition", None)
    return sorted(asset.name for asset in getattr(condition, "objects", [condition]) if asset)
def task(one):
    policy = one.retry_policy
    return {
        "pool": one.pool, "mapped": one.is_mapped, "retries": one.retries, "outlets": [asset.name for asset in one.outlets],
        "upstream": sorted(one.upstream_task_ids), "owner": one.owner, "trigger": str(one.trigger_rule),
        "rules": [[rule.exception if isinstance(rule.exception, str) else rule.exception.__name__, rule.action.name]
                  for rule in policy.rules] if policy else [],
    }
print("@@" + json.dumps({"errors": bag.import_errors, "heavy": heavy, "dags": {dag.dag_id: {
    "owner": dag.owner, "tags": sorted(dag.tags), "doc": dag.doc_md or "", "runs": dag.max_active_runs, "catchup": dag.catchup,
    "timetable": type(dag.timetable).__name__, "all": type(getattr(dag.timetable, "asset_condition", None)).__name__,
    "assets": asset_names(dag.timetable), "tasks": {one.task_id: task(one) for one in dag.tasks},
} for dag in bag.dags.values()}}))
"""
# What `dags/` itself imports, without Airflow's own weight: Airflow is replaced by a stand-in.
LIGHT = """
import sys
from unittest.mock import MagicMock
for name in ("airflow", "airflow.sdk", "airflow.providers.standard.operators.hitl"):
    sys.modules[name] = MagicMock()
for name in ("airflow.providers", "airflow.providers.standard", "airflow.providers.standard.operators"):
    sys.modules[name] = MagicMock(__path__=[])
import approval, common, ingest, maintenance, open_data, warehouse
print(",".join(sorted({name.split(".")[0] for name in sys.modules} & set(sys.argv[1].split(",")))))
"""


def fresh(code: str, home: Path, *arguments: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "KHOCHUNG", "_AIRFLOW"))
    }
    environment |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "KHOCHUNG_HOME": str(home / "none"),
        "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'dags'}",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("airflow")
    said = fresh(READ, home, str(REPOSITORY / "dags"), ",".join(HEAVY))
    found: dict[str, Any] = json.loads(said.split("@@", 1)[1])
    assert not (home / "none").exists(), "reading DAG files must not write local state"
    return found


@pytest.fixture(scope="module")
def dags(bag: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = bag["dags"]
    return found


def test_every_file_is_read_and_every_dag_is_there(bag: dict[str, Any]) -> None:
    assert bag["errors"] == {}
    expected = {f"ingest__{name}" for name in contract.sources()} | {
        "warehouse",
        "open_data",
        "approval",
        "maintenance",
    }
    assert set(bag["dags"]) == expected


def test_reading_the_dags_imports_nothing_heavy(tmp_path: Path) -> None:
    assert fresh(LIGHT, tmp_path, ",".join(HEAVY)).strip() == "", "move the import into the task"


def test_every_dag_says_what_it_is_and_what_to_do(dags: dict[str, dict[str, Any]]) -> None:
    for name, dag in dags.items():
        assert dag["owner"] not in ("", "airflow"), f"{name}: set `owner` in dags/common.py"
        assert dag["tags"], f"{name}: give it a tag"
        for part in ("**Purpose.**", "**When it is red.**"):
            assert part in dag["doc"], f"{name}: doc_md lacks {part}"
        assert (dag["runs"], dag["catchup"]) == (1, False), f"{name}: max_active_runs=1, catchup=False"


def test_every_red_task_is_explained(dags: dict[str, dict[str, Any]]) -> None:
    for name, dag in dags.items():
        silent = [task for task in dag["tasks"] if task != "announce" and f"`{task}`" not in dag["doc"]]
        assert silent == [], f"{name}: doc_md does not say what a red {', '.join(silent)} means"


@pytest.mark.parametrize("source", contract.sources())
def test_a_source_is_landed_loaded_and_announced(dags: dict[str, dict[str, Any]], source: str) -> None:
    tasks = dags[f"ingest__{source}"]["tasks"]
    assert {name: task["mapped"] for name, task in tasks.items()} == {"extract": True, "load": True, "announce": False}
    assert tasks["load"]["upstream"] == ["extract"]
    assert tasks["announce"]["upstream"] == ["load"]
    assert tasks["announce"]["outlets"] == [f"raw_{source}"]
    assert {task["pool"] for task in tasks.values()} == {f"source_{source}"}
    for table in contract.sources()[source].tables:
        assert f"`{table.name}`" in dags[f"ingest__{source}"]["doc"]


def test_what_may_pass_is_tried_again_and_nothing_else(dags: dict[str, dict[str, Any]]) -> None:
    for name, dag in dags.items():
        for task, told in dag["tasks"].items():
            rules = [(rule.rsplit(".", 1)[-1], action) for rule, action in told["rules"]]
            order = [rule for rule, _ in rules]
            assert ("SourceUnavailableError", "RETRY") in rules, f"{name}.{task}: no retry policy"
            assert ("KhoChungError", "FAIL") in rules, f"{name}.{task}: a broken contract must fail at once"
            assert order.index("SourceUnavailableError") < order.index("KhoChungError"), (
                "the first rule that fits decides"
            )
            assert (told["retries"] > 0) == name.startswith("ingest__"), f"{name}.{task}"


def test_each_wakes_the_next(dags: dict[str, dict[str, Any]]) -> None:
    warehouse, publisher = dags["warehouse"], dags["open_data"]
    assert warehouse["timetable"] == publisher["timetable"] == "AssetOrTimeSchedule"
    assert warehouse["assets"] == sorted(f"raw_{name}" for name in contract.sources())
    assert warehouse["all"] == "AssetAll", "woken when every source has delivered"
    assert warehouse["tasks"]["announce"]["outlets"] == ["warehouse_open_data"]
    assert publisher["assets"] == ["approval_given", "warehouse_open_data"]
    assert publisher["all"] == "AssetAny", "woken by a build as well as by a decision"
    assert publisher["tasks"]["ask_somebody"]["outlets"] == dags["approval"]["assets"] == ["approval_wanted"]
    assert dags["approval"]["tasks"]["note"]["outlets"] == ["approval_given"]
    assert publisher["tasks"]["release"]["upstream"] == ["judge"], "nothing is released before it is judged"
    assert warehouse["tasks"]["marts"]["upstream"] == ["judge_sources"]
