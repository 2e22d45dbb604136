"""A small LGSP that misbehaves on request: three ways to page, four ways to sign in, and any fault at any moment."""

import asyncio
import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from khochung.extract import Window, open_delivery
from tests.ingest.toy_source import make_source

WINDOW = Window(date(2025, 9, 1), None, datetime(2025, 9, 2, tzinfo=UTC))
KEY, SECRET = "toy-key", "toy-secret"
Row = dict[str, Any]
Answer = Callable[[], Response]


class Cut(Response):
    """Promises more bytes than it sends, and hangs up."""

    def __init__(self, content: bytes, promised: int) -> None:
        super().__init__(content, media_type="application/json", headers={"Content-Length": str(promised)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        raise ConnectionAbortedError


class Drip(Response):
    """Sends a byte now and then, for ever."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        while (await asyncio.wait_for(self._sent(send), 5)) and not self.over.is_set():
            await asyncio.sleep(0.01)

    over = threading.Event()

    async def _sent(self, send: Send) -> bool:
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        return True


def make_rows(count: int) -> list[Row]:
    return [{"id": str(number), "name": f"n{number}", "changed_at": None} for number in range(count)]


@dataclass
class Gateway:
    """`faults` are answered before anything else, one for each request of a page."""

    rows: list[Row] = field(default_factory=lambda: make_rows(10))
    size: int = 3
    signs: str = "token"
    faults: list[Answer] = field(default_factory=list)
    token_faults: list[Answer] = field(default_factory=list)
    after_page: Callable[[int], None] = lambda _: None
    change: Callable[[Row], Row] = lambda body: body
    life: float = 3600
    tokens: dict[str, float] = field(default_factory=dict)
    seen: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0
    url: str = ""

    async def wso2(self, request: Request) -> Response:
        if self.token_faults:
            return self.token_faults.pop(0)()
        given = base64.b64decode(request.headers["Authorization"].split()[1]).decode()
        return self._issue(given == f"{KEY}:{SECRET}")

    async def keycloak(self, request: Request) -> Response:
        form = dict(pair.split("=") for pair in (await request.body()).decode().split("&"))
        return self._issue(form == {"grant_type": "client_credentials", "client_id": KEY, "client_secret": SECRET})

    def _issue(self, right: bool) -> Response:
        if not right:
            return JSONResponse({"error": "invalid_client"}, 401)
        name = f"t{len(self.tokens)}"
        self.tokens[name] = time.monotonic() + self.life
        return JSONResponse({"access_token": name, "expires_in": self.life})

    def _signed(self, request: Request) -> bool:
        target = request.url.path + "?" + request.url.query
        text = f"GET\n{target}\n{request.headers['X-Timestamp']}\n{hashlib.sha256(b'').hexdigest()}"
        expected = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        return request.headers["X-Access-Key"] == KEY and request.headers["X-Signature"] == expected

    def _allowed(self, request: Request) -> bool:
        if self.signs == "signature":
            return self._signed(request)
        if self.signs == "partner":
            said = orjson.loads(base64.b64decode(request.headers["Authorization"]))
            return bool(
                said == {"AccessKey": KEY, "SecretKey": SECRET, "AppName": "kho", "PartnerCode": "000.00.01.H29"}
            )
        return self.tokens.get(request.headers["Authorization"].split()[1], 0) > time.monotonic()

    async def page(self, request: Request) -> Response:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await asyncio.sleep(0)
        try:
            return self._page(request)
        finally:
            self.busy -= 1

    def _page(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        if self.faults:
            return self.faults.pop(0)()
        if not self._allowed(request):
            return JSONResponse({"fault": {"code": 900902}}, 401)
        query = dict(request.query_params)
        self.seen.append(query)
        start, size = self._place(query)
        body = self.change(
            {"Status": "SUCCESS", "Total": len(self.rows), "PageSize": size, "Data": self.rows[start : start + size]}
            | ({"NextCursor": self._cursor(start + size)} if "page" not in query and "offset" not in query else {})
        )
        self.after_page(len(self.seen))
        return Response(orjson.dumps(body), media_type="application/json")

    def _place(self, query: dict[str, str]) -> tuple[int, int]:
        size = min(self.size, int(query.get("pageSize") or query["limit"]))
        if "page" in query:
            return (int(query["page"]) - 1) * size, size
        if "offset" in query:
            return int(query["offset"]), size
        after = query.get("cursor")
        return (0 if after is None else next(place for place, row in enumerate(self.rows) if row["id"] == after)), size

    def _cursor(self, place: int) -> str | None:
        return self.rows[place]["id"] if place < len(self.rows) else None


@contextmanager
def running(gateway: Gateway, **options: Any) -> Iterator[Gateway]:
    """Serve it on a free port; `options` are uvicorn's."""
    routes = [
        Route("/token", gateway.wso2, methods=["POST"]),
        Route("/realms/digo/protocol/openid-connect/token", gateway.keycloak, methods=["POST"]),
        Route("/thing", gateway.page),
    ]
    config = uvicorn.Config(Starlette(routes=routes), port=0, log_level="critical", lifespan="off", **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    scheme = "https" if options else "http"
    gateway.url = f"{scheme}://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield gateway
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


def read(window: Window = WINDOW, source: Row | None = None, **options: Any) -> tuple[list[str], int | None, set[str]]:
    """Ids in the order of their pages, the source's count, and the fields that the contract does not know."""
    made, table = make_source("toy", "lgsp", service=source, **({"path": "/thing"} | options))
    with open_delivery(made, table, window, frozenset()) as deliveries:
        ids = [value for batch in deliveries[0].batches for value in batch.column("id").to_pylist()]
        return ids, deliveries[0].counted, deliveries[0].unknown_fields


def ids(count: int) -> list[str]:
    return [str(number) for number in range(count)]
