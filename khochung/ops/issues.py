"""Open issues, counted: per agency, source, table and code, with their age, and how they moved from build to build."""

from typing import Any

from psycopg.rows import dict_row
from rich.console import Group
from rich.table import Table as Grid

from khochung import contract, warehouse
from khochung.errors import ConfigurationError
from khochung.ops.agency_lists import slugs
from khochung.settings import Settings

BUILDS = 6  # shown side by side
# One row per kind of issue that is open, or that the newest build closed; `severity` is the worst of its issues.
KINDS = """
    with newest as (
        select build_id, as_of from ops.build where build_id = (select max(build_id) from ops.issue_trend)
    ),
    kinds as (
        select
            agency, source_name, table_name, issue_code, count(*) filter (where closed_at is null) as open,
            min(open_since) filter (where closed_at is null) as oldest,
            min(array_position(array['critical', 'warning', 'info'], severity)) as severity
        from quality.issue
        group by agency, source_name, table_name, issue_code
    )
    select
        kinds.agency, kinds.source_name as source, kinds.table_name as table, kinds.issue_code as code,
        (array['critical', 'warning', 'info'])[kinds.severity] as severity, code.title_vi, code.title_en, kinds.open,
        coalesce(trend.opened, 0) as opened, coalesce(trend.closed, 0) as closed, newest.as_of - kinds.oldest as oldest_days
    from kinds
    cross join newest
    join seeds.issue_code as code using (issue_code)
    left join ops.issue_trend as trend
        on (trend.build_id, trend.source_name, trend.table_name, trend.issue_code)
        = (newest.build_id, kinds.source_name, kinds.table_name, kinds.issue_code)
    where
        (kinds.open > 0 or trend.closed > 0)
        and (%(agency)s::text is null or kinds.agency = %(agency)s)
        and (%(source)s::text is null or kinds.source_name = %(source)s)
    order by kinds.agency, kinds.severity, kinds.open desc, kinds.source_name, kinds.table_name, kinds.issue_code
"""
TREND = """
    select
        trend.build_id as build, build.as_of, trend.source_name as source, sum(open)::bigint as open,
        sum(opened)::bigint as opened, sum(closed)::bigint as closed
    from ops.issue_trend as trend
    join ops.build as build using (build_id)
    where
        build_id in (select distinct build_id from ops.issue_trend order by build_id desc limit %(builds)s)
        and trend.source_name = any(%(sources)s)
    group by trend.build_id, build.as_of, trend.source_name
    order by trend.source_name, trend.build_id
"""
SEVERITY = {"critical": "nghiêm trọng", "warning": "cảnh báo", "info": "lưu ý"}

Records = list[dict[str, Any]]


def summary(settings: Settings, agency: str | None = None, source: str | None = None) -> dict[str, Records]:
    """`issues`: one record per kind of issue; `trend`: one per source and build, of the newest builds.

    Narrowed to an agency (its name, or that of its folder) and a source. Raises ConfigurationError before the first
    build and for an agency that owns no source, ContractError for an unknown source.
    """
    owner = _owner(agency) if agency else None
    if source:
        contract.source(source)
    sources = [
        declared.name
        for declared in contract.sources().values()
        if source in (None, declared.name) and owner in (None, declared.owner_agency)
    ]
    with warehouse.connect(settings, "operator") as connection, connection.cursor(row_factory=dict_row) as cursor:
        known = cursor.execute("select to_regclass('quality.issue') as log").fetchone()
        if known is None or known["log"] is None:
            raise ConfigurationError("there is no issue log yet: it comes with the first build of the DAG warehouse")
        issues = cursor.execute(KINDS, {"agency": owner, "source": source}).fetchall()
        trend = cursor.execute(TREND, {"builds": BUILDS, "sources": sources}).fetchall()
    return {"issues": issues, "trend": trend}


def grids(found: dict[str, Records]) -> Group:
    """The summary as two tables for a terminal."""
    kinds = Grid(
        "Cơ quan", "Nguồn, bảng", "Mã lỗi", "Giải thích", "Mức độ", "Đang mở", "Mới", "Đã hết", "Lâu nhất (ngày)"
    )
    for one in found["issues"]:
        numbers = (one["open"], one["opened"], one["closed"], one["oldest_days"])
        kinds.add_row(
            one["agency"], f"{one['source']}.{one['table']}", one["code"], one["title_vi"], SEVERITY[one["severity"]],
            *("-" if number is None else f"{number:,}" for number in numbers),
        )  # fmt: skip
    for column in kinds.columns[5:]:
        column.justify = "right"
    total = sum(one["open"] for one in found["issues"])
    return Group("Lỗi dữ liệu đang mở", kinds, f"Tổng cộng {total:,} lỗi đang mở.", "", *_trend(found["trend"]))


def _trend(records: Records) -> list[str | Grid]:
    builds = sorted({(one["build"], one["as_of"]) for one in records})
    if not builds:
        return []
    grid = Grid("Nguồn", *(f"Lần dựng {build}\n{day:%d/%m/%Y}" for build, day in builds))
    cells = {
        (one["source"], one["build"]): f"{one['open']:,} (+{one['opened']:,} −{one['closed']:,})" for one in records
    }
    for source in sorted({one["source"] for one in records}):
        grid.add_row(source, *(cells.get((source, build), "0") for build, _ in builds))
    return ["Qua các lần dựng: đang mở (+mới −đã hết)", grid]


def _owner(name: str) -> str:
    known = slugs({source.owner_agency for source in contract.sources().values()})
    for agency, slug in known.items():
        if name.casefold() in (agency.casefold(), slug):
            return agency
    raise ConfigurationError(f"no agency {name!r} owns a source: known are {', '.join(sorted(known))}")
