"""Data Docs: what the gate has found, as pages for engineers below `artefacts/data-docs/`; internal, never published.

Made from `ops.verdict`, which holds counts and never a value. Great Expectations' own pages are not used: they are made
anew from every result ever stored, and fetch their scripts and fonts from elsewhere.
"""

import fcntl
import shutil
from pathlib import Path
from typing import Any

import jinja2
from psycopg.rows import dict_row

from khochung import warehouse
from khochung.settings import Settings

HISTORY = 30
NEWEST = """
    select distinct on (scope, subject) * from ops.verdict where suite is not null
    order by scope, subject, judged_at desc, verdict_id desc
"""
EARLIER = """
    select * from (
        select
            scope, subject, build_id, judged_at, passed, evaluated, failed, seconds,
            row_number() over (partition by scope, subject order by judged_at desc) as place
        from ops.verdict
    ) as numbered where place <= %s order by scope, subject, place
"""


def write(settings: Settings) -> Path:
    """Write the pages of every judged subject anew, its last 30 judgements on each; returns the first page."""
    with warehouse.connect(settings, "operator", row_factory=dict_row) as connection:
        newest: list[dict[str, Any]] = connection.execute(NEWEST).fetchall()  # type: ignore[assignment]
        earlier: list[dict[str, Any]] = connection.execute(EARLIER, [HISTORY]).fetchall()  # type: ignore[assignment]
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    pages = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    folder = settings.artefacts / "data-docs"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".data-docs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _write(folder, pages, newest, earlier)
    return folder / "index.html"


def _write(
    folder: Path, pages: jinja2.Environment, newest: list[dict[str, Any]], earlier: list[dict[str, Any]]
) -> None:
    fresh = folder.with_name(".data-docs.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    (fresh / "index.html").write_text(pages.get_template("index.html").render(verdicts=newest), encoding="utf-8")
    for verdict in newest:
        same = [one for one in earlier if (one["scope"], one["subject"]) == (verdict["scope"], verdict["subject"])]
        rules = list(zip(verdict["suite"]["expectations"], verdict["results"], strict=True))
        page = pages.get_template("subject.html").render(verdict=verdict, rules=rules, history=same)
        (fresh / f"{verdict['scope']}.{verdict['subject']}.html").write_text(page, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
