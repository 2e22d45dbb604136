"""The state of every source and dataset in one record: late, wrong or blocked, by what, and what to do next.

The page in Airflow (`plugins/data_status.py`), `khochung status` and its JSON say the same, because all show this record.
Times are in Việt Nam. Where the business day is pinned, the clock stands at its end.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row
from rich.console import Group
from rich.table import Table as Grid

from khochung import contract, warehouse
from khochung.ingest import end_of
from khochung.settings import TIMEZONE, Settings

RUNS = 30  # of which the median is taken
# The newest load of each table, the last day on which its source was asked, and the median of the seconds that the loads before it took.
LOADS = """
    select
        load.source_name as source, load.table_name as table, load.load_id, load.as_of, load.loaded_at,
        load.source_rows, load.extracted_rows, load.inserted_rows, load.updated_rows, load.unchanged_rows,
        load.duplicate_rows, load.refused_rows, load.tombstoned_rows, load.current_rows, load.landing_bytes,
        load.seconds, usual.median_seconds, greatest(load.as_of, inquiry.as_of) as fresh_on
    from unnest(%(sources)s::text[], %(tables)s::text[]) as wanted (source_name, table_name)
    cross join lateral (
        select * from ops.load
        where (load.source_name, load.table_name) = (wanted.source_name, wanted.table_name)
        order by load_id desc limit 1
    ) as load
    cross join lateral (
        select percentile_cont(0.5) within group (order by seconds) as median_seconds
        from (
            select earlier.seconds from ops.load as earlier
            where
                (earlier.source_name, earlier.table_name) = (load.source_name, load.table_name)
                and earlier.load_id < load.load_id
            order by earlier.load_id desc limit %(runs)s
        ) as before
    ) as usual
    left join ops.inquiry as inquiry on (inquiry.source_name, inquiry.table_name) = (load.source_name, load.table_name)
"""
ISSUES = """
    select
        source_name as source, table_name as table, count(*) as open,
        count(*) filter (where severity = 'critical') as critical,
        (select max(as_of) from ops.build) - min(open_since) as oldest_days
    from quality.issue where closed_at is null group by source_name, table_name
"""
KEPT_BACK = "select source_name as source, table_name as table, quarantined_rows from quality.reconciliation"
VERDICTS = """
    select distinct on (scope, subject) scope, subject, build_id, passed, evaluated, failed, judged_at, results
    from ops.verdict where scope in ('source', 'dataset') order by scope, subject, verdict_id desc
"""
ITEMS = """
    select distinct on (item.slug) item.slug, item.version, item.state, item.reason, item.data_rows, release.as_of
    from ops.release_item as item join ops.release using (release_id)
    order by item.slug, release.released_at desc, release.release_id desc
"""
BUILD = """
    select build_id as id, as_of, status, message, started_at, finished_at,
        extract(epoch from finished_at - started_at)::double precision as seconds
    from ops.build order by build_id desc limit 1
"""

Record = dict[str, Any]
# As the table shows them; what staging keeps back stands before the tombstones.
ROWS = (
    "source_rows",
    "extracted_rows",
    "inserted_rows",
    "updated_rows",
    "unchanged_rows",
    "refused_rows",
    "tombstoned_rows",
)
ORDER = ("failed", "late", "held", "never", "ok")


def collect(settings: Settings) -> Record:
    """`sources`: one record per table of a contract; `datasets`: one per declared dataset; `build`: the newest.

    `state` is the worst of all: `failed`, `late`, `held`, `never` (nothing yet) or `ok`. Raises ConfigurationError when
    the warehouse does not answer.
    """
    with warehouse.connect(settings, "operator") as connection, connection.cursor(row_factory=dict_row) as cursor:
        declared = [(source.name, table.name) for source in contract.sources().values() for table in source.tables]
        keys = {"sources": [one for one, _ in declared], "tables": [one for _, one in declared], "runs": RUNS}
        loads = _by_table(cursor.execute(LOADS, keys).fetchall())
        issues, kept_back = ({} if _missing(cursor, name) else _by_table(cursor.execute(query).fetchall())
                             for name, query in (("issue", ISSUES), ("reconciliation", KEPT_BACK)))  # fmt: skip
        verdicts = {(one["scope"], one["subject"]): one for one in cursor.execute(VERDICTS).fetchall()}
        items = {one["slug"]: one for one in cursor.execute(ITEMS).fetchall()}
        build = cursor.execute(BUILD).fetchone()
    now = _now(settings)
    tables = [
        _table(
            now, source, table.name, loads, issues, kept_back, verdicts.get(("source", f"{source.name}__{table.name}"))
        )
        for source in contract.sources().values()
        for table in source.tables
    ]
    above = lineage(settings.artefacts / "dbt" / "open_data" / "manifest.json")
    wrong = {f"{one['source']}__{one['table']}" for one in tables if one["state"] in ("failed", "late")}
    datasets = [
        _dataset(one, items.get(one.slug), verdicts.get(("dataset", one.slug)), above.get(one.model, set()) & wrong)
        for one in contract.datasets().values()
    ]
    found = [one["state"] for one in (*tables, *datasets)]
    return {
        "now": now.isoformat(timespec="seconds"),
        "state": worst(found),
        "build": build,
        "sources": tables,
        "datasets": datasets,
    }


def worst(states: Iterable[str]) -> str:
    return min(states, key=ORDER.index, default="never")


def _now(settings: Settings) -> datetime:
    return end_of(settings.business_date()) if settings.pinned_day.exists() else datetime.now(TIMEZONE)


def _missing(cursor: Any, name: str) -> bool:
    """Whether a table of the schema `quality` is not there yet: it comes with the first build."""
    return (
        cursor.execute("select to_regclass(%s) is null as missing", [f"quality.{name}"]).fetchone()["missing"] is True
    )


def _by_table(rows: Iterable[Record]) -> dict[tuple[str, str], Record]:
    return {(one["source"], one["table"]): one for one in rows}


def _table(
    now: datetime, source: contract.Source, name: str, loads: Mapping[tuple[str, str], Record],
    issues: Mapping[tuple[str, str], Record], kept_back: Mapping[tuple[str, str], Record], verdict: Record | None,
) -> Record:  # fmt: skip
    """A table of a contract: its newest load against the promise, its rows, its issues, its gate."""
    key = (source.name, name)
    load, open_issues = loads.get(key), issues.get(key, {})
    due = end_of(load["fresh_on"]) + timedelta(hours=source.fresh_within_hours) if load else None
    failed = bool(verdict and not verdict["passed"])
    state = "never" if due is None else "failed" if failed else "late" if now > due else "ok"
    return {
        "source": source.name,
        "table": name,
        "title": source.title_vi,
        "agency": source.owner_agency,
        "state": state,
        "reason": _why(state, load, source.fresh_within_hours, verdict),
        "promised_hours": source.fresh_within_hours,
        "due": due.isoformat() if due else None,
        "hours_left": round((due - now).total_seconds() / 3600, 1) if due else None,
        "load": load and {k: v for k, v in load.items() if k not in ("source", "table")},
        "quarantined_rows": kept_back.get(key, {}).get("quarantined_rows", 0),
        "issues": {k: open_issues.get(k, 0) for k in ("open", "critical", "oldest_days")},
        "gate": _gate(verdict),
        "next_step": _next_step(state, source.name),
    }


def _dataset(dataset: contract.Dataset, item: Record | None, verdict: Record | None, blocked_by: set[str]) -> Record:
    """A declared dataset: its last good version, whether the newest data were held and why, and what stands above it."""
    state = "never" if item is None else "held" if item["state"] == "held" else "ok"
    return {
        "slug": dataset.slug,
        "model": dataset.model,
        "title": dataset.title.vi,
        "state": state,
        "version": (item["version"] or None) if item else None,
        "as_of": item["as_of"] if item else None,
        "rows": item["data_rows"] if item else None,
        "reason": item["reason"] if item and item["state"] == "held" else None,
        "promise": dataset.frequency,
        "gate": _gate(verdict),
        "blocked_by": sorted(blocked_by),
        "next_step": _next_step(state, dataset.slug),
    }


def _gate(verdict: Record | None) -> Record | None:
    if verdict is None:
        return None
    failed = [one["expectation"] for one in verdict["results"] if not one["success"]]
    return {k: verdict[k] for k in ("passed", "evaluated", "failed", "build_id")} | {"rules": failed}


def _why(state: str, load: Record | None, hours: int, verdict: Record | None) -> str | None:
    if state == "late" and load:
        return f"chưa có gì mới hơn ngày {load['fresh_on']:%d/%m/%Y}, cam kết trong {hours} giờ"
    if state == "failed" and verdict:
        return f"{verdict['failed']} quy tắc không đạt"
    return None


STEPS = {
    "failed": "khochung issues --source {name}",
    "late": "khochung source check {name}",
    "held": "khochung release list",
    "never": "khochung run",
}


def _next_step(state: str, name: str) -> str | None:
    step = STEPS.get(state)
    return step.format(name=name) if step else None


def lineage(manifest: Path) -> dict[str, set[str]]:
    """By model of the open-data layer: the raw tables that it is made from, by dbt's manifest; empty without one."""
    return _lineage(manifest, manifest.stat().st_mtime_ns) if manifest.is_file() else {}


@lru_cache(maxsize=2)
def _lineage(path: Path, _: int) -> dict[str, set[str]]:
    manifest = json.loads(path.read_text(encoding="utf-8"))
    parents, sources = manifest["parent_map"], manifest["sources"]
    known: dict[str, set[str]] = {}

    def above(node: str) -> set[str]:
        if node not in known:
            known[node] = {sources[node]["identifier"]} if node in sources else set()
            known[node] |= {name for parent in parents.get(node, ()) for name in above(parent)}
        return known[node]

    models = {key: node["name"] for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    return {name: above(key) for key, name in models.items()}


NAMES = {"ok": "ổn", "late": "chậm", "failed": "không đạt", "held": "giữ lại", "never": "chưa có"}
COLOURS = {"ok": "green", "late": "yellow", "failed": "red", "held": "yellow", "never": "dim"}


def grids(found: Record) -> Group:
    """The record for a terminal: what is wrong and what to do about it first, then every table and dataset."""
    build = found["build"]
    newest = f"lần dựng {build['id']} ({build['status']}) của ngày {build['as_of']:%d/%m/%Y}" if build else "chưa dựng"
    steps = [
        f"{_coloured(one['state'])} {name_of(one)}: {one['reason'] or ''} → {one['next_step']}"
        for one in (*found["sources"], *found["datasets"])
        if one["state"] != "ok"
    ]
    head = f"{found['now']}: {_coloured(found['state'])}, {newest}"
    return Group(head, *steps, "", _sources(found["sources"]), _datasets(found["datasets"]))


def name_of(one: Record) -> str:
    return one.get("slug") or f"{one['source']}.{one['table']}"


def _sources(records: Iterable[Record]) -> Grid:
    grid = Grid("Nguồn, bảng", "Tình trạng", "Đến ngày", "Còn (giờ)", "Nguồn có", "Đọc", "Mới", "Sửa", "Nguyên", "Từ chối",
                "Cách ly", "Xóa", "Lỗi mở", "Giây (vốn)")  # fmt: skip
    for one in records:
        load = one["load"] or {}
        numbers = [load.get(name) for name in ROWS]
        numbers[6:6] = [one["quarantined_rows"]]
        took = f"{load['seconds']:.1f} ({load['median_seconds'] or load['seconds']:.1f})" if load else "-"
        grid.add_row(
            name_of(one), _coloured(one["state"]), f"{load['fresh_on']:%d/%m}" if load else "-",
            "-" if one["hours_left"] is None else f"{one['hours_left']:,.0f}",
            *("-" if number is None else f"{number:,}" for number in (*numbers, one["issues"]["open"])), took,
        )  # fmt: skip
    for column in grid.columns[3:]:
        column.justify = "right"
    grid.columns[0].no_wrap = True
    return grid


def _datasets(records: Iterable[Record]) -> Grid:
    grid = Grid("Bộ dữ liệu", "Tình trạng", "Bản tốt gần nhất", "Kiểm tra", "Vướng ở")
    for one in records:
        gate = one["gate"]
        checks = f"{gate['evaluated'] - gate['failed']}/{gate['evaluated']}" if gate else "-"
        grid.add_row(one["slug"], _coloured(one["state"]), one["version"] or "-", checks, ", ".join(one["blocked_by"]))
    return grid


def _coloured(state: str) -> str:
    return f"[{COLOURS[state]}]{NAMES[state]}[/]"
