"""The LGSP connector against a server that misbehaves in every way that one has been seen to."""

import base64
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from khochung.errors import ContractError, KhoChungError, SourceRefusedError, SourceUnavailableError
from khochung.extract import Window, lgsp, open_delivery
from tests.ingest.toy_source import make_source

WINDOW = Window(date(2025, 9, 1), None, datetime(2025, 9, 2, tzinfo=UTC))
Answer = Callable[[], Response]


@dataclass
class Gateway:
    """A small LGSP. `faults` are answered before anything else, one for each request of a page."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    size: int = 3
    secret: str = "right"
    faults: list[Answer] = field(default_factory=list)
    after_page: Callable[[int], None] = lambda _: None
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda body: body
    tokens: dict[str, float] = field(default_factory=dict)
    seen: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def token(self, request: Request) -> Response:
        given = base64.b64decode(request.headers["Authorization"].split()[1]).decode()
        if given != f"key:{self.secret}":
            return JSONResponse({"error": "invalid_client"}, 401)
        name = f"t{len(self.tokens)}"
        self.tokens[name] = time.monotonic() + 60
        return JSONResponse({"access_token": name, "expires_in": 3600})

    async def page(self, request: Request) -> Response:
        if self.faults:
            return self.faults.pop(0)()
        if self.tokens.get(request.headers["Authorization"].split()[1], 0) < time.monotonic():
            return JSONResponse({"fault": {"code": 900902}}, 401)
        self.seen.append(dict(request.query_params))
        number = int(request.query_params["page"])
        body = self.change(
            {
                "Status": "SUCCESS",
                "Total": len(self.rows),
                "PageSize": self.size,
                "Data": self.rows[(number - 1) * self.size : number * self.size],
            }
        )
        self.after_page(number)
        return Response(orjson.dumps(body), media_type="application/json")


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    made = Gateway([{"id": str(number), "name": f"n{number}", "changed_at": None} for number in range(10)])
    routes = [Route("/token", made.token, methods=["POST"]), Route("/thing", made.page)]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    environment(monkeypatch, made.url)
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    yield made
    server.should_exit = True
    thread.join()


def environment(monkeypatch: pytest.MonkeyPatch, url: str, secret: str = "right") -> None:
    for name, value in {"URL": url, "KEY": "key", "SECRET": secret}.items():
        monkeypatch.setenv(f"KHOCHUNG_SOURCE_TOY_{name}", value)


def read(window: Window = WINDOW, **options: Any) -> tuple[list[str], int | None, set[str]]:
    """Ids in the order of their pages, the source's count, and the fields that the contract does not know."""
    source, table = make_source("toy", "lgsp", **({"path": "/thing"} | options))
    with open_delivery(source, table, window, frozenset()) as deliveries:
        ids = [value for batch in deliveries[0].batches for value in batch.column("id").to_pylist()]
        return ids, deliveries[0].counted, deliveries[0].unknown_fields


def ids(count: int) -> list[str]:
    return [str(number) for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 9, 10, 40])
def test_no_page_is_lost(gateway: Gateway, count: int) -> None:
    gateway.rows = [{"id": str(number), "name": None, "changed_at": None} for number in range(count)]
    assert read() == (ids(count), count, set())


def test_the_window_is_asked_for(gateway: Gateway) -> None:
    start = datetime(2025, 8, 30, tzinfo=UTC)
    read(Window(WINDOW.as_of, start, WINDOW.end), load="cursor", cursor="changed_at")
    assert gateway.seen[0]["updated_since"] == start.isoformat()
    assert gateway.seen[0]["updated_before"] == WINDOW.end.isoformat()


def test_the_total_grows_while_we_read(gateway: Gateway) -> None:
    def grow(number: int) -> None:
        if number == 4:
            gateway.rows += [{"id": str(10 + extra), "name": None, "changed_at": None} for extra in range(5)]

    gateway.rows = gateway.rows[:9] + [{"id": "9", "name": None, "changed_at": None}] * 3
    gateway.after_page = grow
    found, counted, _ = read()
    assert found == [*ids(9), "9", "9", "9", "10", "11", "12", "13", "14"]
    assert counted == 17


def test_one_row_comes_as_an_object_and_none_as_null(gateway: Gateway) -> None:
    def unpack(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"Data": (body["Data"] or [None])[0] if len(body["Data"]) < 2 else body["Data"]}

    gateway.change = unpack
    assert read()[0] == ids(10)
    gateway.rows = []
    assert read() == ([], 0, set())


def test_a_row_repeated_on_the_next_page_is_handed_on(gateway: Gateway) -> None:
    def repeat(body: dict[str, Any]) -> dict[str, Any]:
        return body | {
            "Total": 10,
            "Data": [gateway.rows[2], *body["Data"]] if body["Data"][0]["id"] == "3" else body["Data"],
        }

    gateway.change = repeat
    found, counted, _ = read()
    assert found == ["0", "1", "2", "2", *ids(10)[3:]]
    assert counted == 10, "the load sees more rows than the source counts, and drops the repeated one"


FAULTS: dict[str, Answer] = {
    "throttled": lambda: Response(status_code=429, headers={"Retry-After": "0"}),
    "throttled until a date": lambda: Response(
        status_code=429, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
    ),
    "unavailable": lambda: Response(status_code=503),
    "error in a 200": lambda: JSONResponse({"Status": "ERROR", "Code": "E42"}),
    "cut short": lambda: Response(b'{"Status": "SUCCESS", "Data": [{"id"'),
    "a list": lambda: JSONResponse([]),
    "token refused": lambda: JSONResponse({"fault": {"code": 900901}}, 401),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_passes_is_tried_again(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    slept: list[float] = []
    monkeypatch.setattr(lgsp.time, "sleep", slept.append)
    gateway.faults = [FAULTS[fault]] * 3
    assert read()[0] == ids(10)
    assert gateway.faults == []
    if fault == "throttled until a date":
        assert slept.count(1) >= 3


def test_what_does_not_pass_is_told_after_the_last_try(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lgsp, "TRIES", 3)
    gateway.faults = [FAULTS["error in a 200"]] * 9
    with pytest.raises(SourceUnavailableError, match="source toy: /thing answered 200 with error E42"):
        read()
    assert len(gateway.faults) == 6


def test_a_token_that_expires_between_pages_is_renewed(gateway: Gateway) -> None:
    gateway.after_page = lambda number: gateway.tokens.update(t0=0.0) if number == 1 else None
    assert read()[0] == ids(10)
    assert list(gateway.tokens) == ["t0", "t1"], "one new token, whatever the number of requests under way"


@pytest.mark.parametrize(
    ("spoil", "kind", "match"),
    [
        (
            lambda row: {"id": row["id"], "changed_at": None},
            ContractError,
            r"toy\.thing: /thing lacks name;.*_toy__sources.yml",
        ),
        (
            lambda row: row | {"name": {"vi": "x"}},
            ContractError,
            r"toy\.thing: name holds an object.*_toy__sources.yml",
        ),
    ],
)
def test_rows_that_break_the_contract(
    gateway: Gateway, spoil: Callable[[dict[str, Any]], dict[str, Any]], kind: type[KhoChungError], match: str
) -> None:
    gateway.rows = [spoil(row) for row in gateway.rows]
    with pytest.raises(kind, match=match):
        read()


def test_an_envelope_without_rows_breaks_the_contract(gateway: Gateway) -> None:
    gateway.change = lambda body: {"Status": "SUCCESS", "Items": body["Data"]}
    with pytest.raises(ContractError, match="/thing answered without Data and Total"):
        read()


def test_fields_that_the_contract_does_not_know_are_told(gateway: Gateway) -> None:
    gateway.rows = [row | {"extra": 1} for row in gateway.rows]
    assert read()[2] == {"extra"}


def test_a_wrong_secret_is_refused_at_once(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, gateway.url, secret="wrong-secret")
    with pytest.raises(SourceRefusedError, match="KHOCHUNG_SOURCE_TOY_KEY and _SECRET") as caught:
        read()
    assert "wrong-secret" not in str(caught.value)
    assert gateway.seen == []


def test_a_path_that_is_not_there_is_refused_at_once(gateway: Gateway) -> None:
    with pytest.raises(SourceRefusedError, match="/nothing answered 404"):
        read(path="/nothing")


def test_a_source_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lgsp, "TRIES", 2)
    environment(monkeypatch, "http://127.0.0.1:1")
    with pytest.raises(SourceUnavailableError, match=r"127\.0\.0\.1:1.*is KHOCHUNG_SOURCE_TOY_URL right"):
        read()
