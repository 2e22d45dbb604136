"""`make run`: bring everything up, drive the pipeline through Airflow's scheduler, show progress, sum up."""

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table as Grid

from khochung import contract, services, transform, warehouse
from khochung.errors import KhoChungError
from khochung.settings import TIMEZONE, Settings

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
POLL_S = 0.7
LOADED = """
    select
        source_name || '.' || table_name, count(*) filter (where here), coalesce(sum(extracted_rows) filter (where here), 0),
        coalesce(sum(inserted_rows) filter (where here), 0), coalesce(sum(updated_rows) filter (where here), 0),
        coalesce(sum(tombstoned_rows) filter (where here), 0),
        coalesce(sum(refused_rows + duplicate_rows) filter (where here), 0),
        (array_agg(current_rows order by load_id desc))[1]
    from (select *, loaded_at >= %s as here from ops.load) as load
    group by source_name, table_name order by 1
"""
RELEASED = """
    select slug, version, state, data_rows from ops.release_item
    where release_id = (select release_id from ops.publication order by build_id desc limit 1) order by slug
"""
TERMINAL = {"success", "failed"}
DAG_PARSE_TIMEOUT_S = 180


class RunError(KhoChungError):
    """A DAG run failed; the message names the task and shows the end of its log."""


@dataclass
class Airflow:
    """The few calls of Airflow's REST API that a run needs."""

    http: httpx.Client

    @classmethod
    def sign_in(cls, settings: Settings) -> "Airflow":
        url = f"http://127.0.0.1:{services.port('AIRFLOW')}"
        password = json.loads((settings.airflow / "passwords.json").read_text(encoding="utf-8"))["admin"]
        answer = httpx.post(f"{url}/auth/token", json={"username": "admin", "password": password}, timeout=30)
        answer.raise_for_status()
        token = answer.json()["access_token"]
        return cls(httpx.Client(base_url=f"{url}/api/v2", headers={"Authorization": f"Bearer {token}"}, timeout=60))

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.http.get(path, params=query)
        answer.raise_for_status()
        return dict(answer.json())

    def put_pool(self, name: str, slots: int) -> None:
        body = {"name": name, "slots": slots, "include_deferred": False}
        answer = self.http.post("/pools", json=body)
        if answer.status_code == 409:
            answer = self.http.patch(f"/pools/{name}", json=body)
        answer.raise_for_status()

    def trigger(self, dag_id: str) -> str:
        answer = self.http.post(f"/dags/{dag_id}/dagRuns", json={"logical_date": None})
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The newest runs of a DAG, newest first."""
        return list(self.get(f"/dags/{dag_id}/dagRuns", order_by="-run_after", limit=20)["dag_runs"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return list(self.get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=500)["task_instances"])

    def last_words(self, dag_id: str, run_id: str, task: dict[str, Any]) -> str:
        """The error that a failed task ended with."""
        place = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task['task_id']}/logs/{max(task['try_number'], 1)}"
        answer = self.http.get(place, params={"map_index": task["map_index"], "full_content": True})
        if answer.status_code != 200:
            return f"its log could not be read ({answer.status_code})"
        events = answer.json()["content"]
        details = [
            f"{error['exc_type']}: {error['exc_value']}"
            for event in events
            if isinstance(event, dict)
            for error in event.get("error_detail") or []
        ]
        return details[-1] if details else str(events[-1:])


def up(settings: Settings, scale: float, as_of: date) -> Airflow:
    """Start everything that is not running and return a signed-in client. What can start at once does."""
    for folder in (settings.home, settings.logs, settings.landing, settings.artefacts):
        folder.mkdir(parents=True, exist_ok=True)
    (settings.home / "as_of").write_text(as_of.isoformat() + "\n", encoding="utf-8")
    with _step("PostgreSQL"):
        services.start_postgres(settings)
    stand_in = services.simulator(settings, scale, as_of.isoformat())
    with _step(f"stand-in sources (scale {scale:g}, as of {as_of}) and Airflow"), ThreadPoolExecutor(1) as pool:
        services.start(settings, stand_in)
        waiting = pool.submit(services.wait_ready, settings, stand_in)
        services.prepare_airflow(settings)
        airflow = services.airflow_services(settings)
        for service in airflow:
            services.start(settings, service)
        portal = services.portal(settings)
        services.start(settings, portal)
        for service in (*airflow, portal):
            services.wait_ready(settings, service)
        waiting.result()
    client = Airflow.sign_in(settings)
    with _step("DAGs"):
        for name, slots in services.pools().items():
            client.put_pool(name, slots)
        _wait_for_dags(client)
    return client


def pipeline(settings: Settings, airflow: Airflow) -> None:
    """Trigger every ingest DAG, then follow the warehouse and the release that they wake. Raises RunError."""
    ids = [f"ingest__{name}" for name in contract.sources()]
    seen = {dag_id: {run["dag_run_id"] for run in airflow.runs(dag_id)} for dag_id in ("warehouse", "open_data")}
    with _step("ingest: " + ", ".join(contract.sources())) as say:
        triggered = {dag_id: airflow.trigger(dag_id) for dag_id in ids}
        _follow(airflow, triggered, say)
    for dag_id in ("warehouse", "open_data"):
        with _step(dag_id) as say:
            run_id = _woken(airflow, dag_id, seen[dag_id])
            _follow(airflow, {dag_id: run_id}, say)
    if transform.unpublished(settings) is not None:
        raise RunError("the newest build has not been through the gate; see the DAG open_data in Airflow")


def summary(settings: Settings, began: datetime) -> None:
    """What a newcomer wants to know: what was loaded, what is public, where to look."""
    loads = Grid("source table", "reads", "rows", "new", "changed", "gone", "set aside", "held now")
    public = Grid("dataset", "version", "state", "rows")
    with warehouse.connect(settings, "operator") as connection:
        rows = connection.execute(LOADED, [began]).fetchall()
        items = connection.execute(RELEASED).fetchall()
    for row in rows:
        loads.add_row(row[0], *(f"{value:,}" for value in row[1:]))
    for column in (*loads.columns[1:], public.columns[3]):
        column.justify = "right"
    console.print("\nLoaded in this run", loads, "\nPublic", sep="\n")
    for slug, version, state, count in items:
        public.add_row(slug, version or "-", state, f"{count:,}" if count is not None else "")
    console.print(public)
    password = json.loads((settings.airflow / "passwords.json").read_text(encoding="utf-8"))["admin"]
    console.print(f"Open data   http://127.0.0.1:{services.port('PORTAL')}/      files: {settings.public}")
    console.print(f"Airflow     http://127.0.0.1:{services.port('AIRFLOW')}/      user admin, password {password}")
    console.print(f"Warehouse   {_psql(settings)}")
    console.print(
        f"Done in {(datetime.now(TIMEZONE) - began).total_seconds():.0f} s. `make run` again changes nothing; `make stop` ends the services."
    )


def _psql(settings: Settings) -> str:
    keywords = warehouse.parameters(settings, "analyst")
    return f"psql -h {keywords['host']} -U {keywords['user']} {keywords['dbname']}"


@contextmanager
def _step(title: str) -> Iterator[Any]:
    """One line of progress: a live one on a terminal, a plain one in a log."""
    began = time.monotonic()
    if console.is_terminal:
        with console.status(title) as status:
            yield lambda text: status.update(f"{title}: {text}")
    else:
        console.print(f"… {title}")
        yield lambda text: None
    console.print(f"[green]✓[/green] {title} [dim]{time.monotonic() - began:.0f} s[/dim]")


def _wait_for_dags(airflow: Airflow) -> None:
    wanted = {f"ingest__{name}" for name in contract.sources()} | {"warehouse", "open_data", "approval", "maintenance"}
    deadline = time.monotonic() + DAG_PARSE_TIMEOUT_S
    while time.monotonic() < deadline:
        present = {dag["dag_id"] for dag in airflow.get("/dags", limit=200)["dags"]}
        if wanted <= present:
            return
        time.sleep(POLL_S)
    errors = airflow.get("/importErrors")["import_errors"]
    reason = "; ".join(f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}" for error in errors)
    raise RunError(f"DAGs missing: {', '.join(sorted(wanted - present))}. {reason or 'see dag-processor.log'}")


def _woken(airflow: Airflow, dag_id: str, seen: set[str], patience_s: float = 120) -> str:
    """The run that an asset event started since `seen`."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        fresh = [run["dag_run_id"] for run in airflow.runs(dag_id) if run["dag_run_id"] not in seen]
        if fresh:
            return str(fresh[0])
        time.sleep(POLL_S)
    raise RunError(f"{dag_id} was not woken within {patience_s:.0f} s; is it paused in Airflow?")


def _follow(airflow: Airflow, runs: dict[str, str], say: Any) -> None:
    """Wait until every run has ended. Raises RunError with the last words of each failed task."""
    states: dict[str, str] = {}
    while len(states) < len(runs):
        waiting = []
        for dag_id, run_id in runs.items():
            state = airflow.get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
            if state in TERMINAL:
                states[dag_id] = state
            else:
                waiting.append(dag_id)
        say(", ".join(waiting))
        time.sleep(POLL_S)
    failed = [dag_id for dag_id, state in states.items() if state == "failed"]
    if failed:
        raise RunError("\n".join(line for dag_id in failed for line in _reasons(airflow, dag_id, runs[dag_id])))


def _reasons(airflow: Airflow, dag_id: str, run_id: str) -> Iterator[str]:
    for task in airflow.tasks(dag_id, run_id):
        if task["state"] == "failed":
            name = task.get("rendered_map_index") or ""
            yield f"{dag_id}.{task['task_id']} {name}: {airflow.last_words(dag_id, run_id, task)}"
