"""The page Data status: the record of `khochung.ops.status` for people, with filters in its address, and as JSON beside it.

It is shown in a frame of Airflow's interface. It reads, and changes nothing; no value of a record is on it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from khochung.ops import status
from khochung.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

# The frame may run scripts of its own page only; Airflow itself may frame it.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'self'"
)
FILTERS = ("state", "agency", "q")


def application(settings: Settings, guards: Sequence[Any] = ()) -> "FastAPI":
    """`/`: the page; `/status.json`: the record; `guards`: FastAPI dependencies that say who may read."""
    from fastapi import FastAPI, Response
    from fastapi.responses import HTMLResponse, JSONResponse

    app = FastAPI(title="Data status", dependencies=list(guards), docs_url=None, redoc_url=None, openapi_url=None)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

    @app.get("/", response_class=HTMLResponse)
    def page(state: str = "", agency: str = "", q: str = "") -> HTMLResponse:
        return HTMLResponse(render(status.collect(settings), state=state, agency=agency, q=q), headers=headers)

    @app.get("/status.json")
    def record() -> JSONResponse:
        return JSONResponse(_plain(status.collect(settings)), headers=headers)

    @app.get("/{name}.{kind}")
    def asset(name: str, kind: str) -> Response:
        known = {("status", "css"): "text/css", ("status", "js"): "text/javascript"}
        if (name, kind) not in known:
            return Response(status_code=404)
        return Response(_file(f"{name}.{kind}"), media_type=known[name, kind], headers=headers)

    return app


def render(found: status.Record, *, state: str = "", agency: str = "", q: str = "") -> str:
    """The page of a record, narrowed to a state, an agency and a word of a name."""
    sources = _worst_first(one for one in found["sources"] if _passes(one, state, agency, q))
    datasets = _worst_first(one for one in found["datasets"] if _passes(one, state, "", q) and not agency)
    text: str = (
        _environment()
        .from_string(_file("status.html"))
        .render(
            found=found,
            sources=sources,
            datasets=datasets,
            counts=_counts(found),
            agencies=sorted({one["agency"] for one in found["sources"]}),
            asked={"state": state, "agency": agency, "q": q},
            names=status.NAMES,
            name=status.name_of,
        )
    )
    return text


def _passes(one: status.Record, state: str, agency: str, q: str) -> bool:
    return (
        state in ("", one["state"])
        and agency in ("", one.get("agency", ""))
        and q.casefold() in f"{status.name_of(one)} {one['title']}".casefold()
    )


def _worst_first(records: Iterable[status.Record]) -> list[status.Record]:
    return sorted(records, key=lambda one: status.ORDER.index(one["state"]))


def _counts(found: status.Record) -> dict[str, int]:
    """How many tables and datasets are in each state, the worst first; states that nothing is in are left out."""
    states = [one["state"] for one in (*found["sources"], *found["datasets"])]
    return {state: states.count(state) for state in status.ORDER if state in states}


@cache
def _environment() -> Any:
    from jinja2 import Environment, StrictUndefined

    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["number"] = lambda value: "–" if value is None else f"{value:,}".replace(",", ".")
    made.filters["day"] = lambda value: "–" if value is None else f"{value:%d/%m/%Y}"
    made.filters["left"] = _left
    return made


def _left(hours: float | None) -> str:
    if hours is None:
        return "–"
    unit = f"{abs(hours) / 24:.0f} ngày" if abs(hours) >= 48 else f"{abs(hours):.0f} giờ"
    return f"quá {unit}" if hours < 0 else f"còn {unit}"


def _file(name: str) -> str:
    return (files("khochung.ops") / "page" / name).read_text(encoding="utf-8")


def _plain(value: Any) -> Any:
    """The record as JSON has it."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(one) for one in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
