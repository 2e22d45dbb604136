"""What a run of an ingest DAG reads: a backfill's run its days, every other run from the watermark on."""

import json
from pathlib import Path

from khochung.settings import REPOSITORY
from tests.dags.test_dag_integrity import fresh

# Calls the task `extract` of one DAG as a run of each kind would, with a note-taker in place of the reading.
RUN = """
import json, sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.types import DagRunType
from khochung import ingest, settings
bag = DagBag(sys.argv[1])
task = bag.dags["ingest__land"].get_task("extract")
call = task.python_callable
settings.Settings.business_date = lambda self: "today"
told = []
for name in ("extract", "extract_again"):
    setattr(ingest, name, lambda _, source, table, *days, name=name: told.append([name, table.name, *map(str, days)]) or [])
for kind in sys.argv[3:]:
    run = SimpleNamespace(run_type=DagRunType(kind), logical_date=datetime.fromisoformat(sys.argv[2]))
    call.__globals__["get_current_context"] = lambda: {"dag_run": run}
    call("parcel")
print("@@" + json.dumps(told))
"""
RUNS = {
    "backfill": ["extract_again", "parcel", "2025-09-04", "2025-09-04"],
    "scheduled": ["extract", "parcel", "today"],
    "manual": ["extract", "parcel", "today"],
    "asset_triggered": ["extract", "parcel", "today"],
}


def test_what_a_run_reads(tmp_path: Path) -> None:
    said = fresh(RUN, tmp_path, str(REPOSITORY / "dags"), "2025-09-03T18:00:00+00:00", *RUNS)
    assert dict(zip(RUNS, json.loads(said.split("@@", 1)[1]), strict=True)) == RUNS
