"""The HTTP face, in the manner of a provincial LGSP behind WSO2: tokens, pages, throttling and bad days."""

import base64
import os
import secrets
import time
import urllib.parse
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from simulator import NOTICE
from simulator.layouts import Layout
from simulator.store import Store
from simulator.wire import HTTP_LAYOUTS

LAYOUT_OF = {layout.path: layout for layout in HTTP_LAYOUTS}
MAX_PAGE, DEFAULT_PAGE = 5_000, 2_000
MAX_CONCURRENT, MAX_PER_SECOND = 8, 60
FAIL_EVERY, ERROR_EVERY, REPEAT_EVERY = 200, 500, 50
"""One request in 200 answers 503, one in 500 an error inside HTTP 200; one page in 50 repeats a row."""
HEADERS = {"X-Notice": "Du lieu sinh tu dong - generated data, no real person"}
UTC_OFFSET = 7 * 3_600


@dataclass
class Service:
    """State of the running source systems."""

    as_of: str
    key: str = field(default_factory=lambda: os.environ.get("SIMULATOR_LGSP_KEY", "local"))
    secret: str = field(default_factory=lambda: os.environ.get("SIMULATOR_LGSP_SECRET", "local"))
    token_seconds: int = 300
    faults: bool = True
    stores: dict[str, Store] = field(default_factory=dict)
    ready: bool = False
    tokens: dict[str, float] = field(default_factory=dict)
    recent: deque[float] = field(default_factory=deque)
    running: int = 0
    requests: int = 0

    def throttled(self) -> bool:
        """More than 60 requests in the last second or more than 8 at once."""
        now = time.monotonic()
        while self.recent and now - self.recent[0] > 1:
            self.recent.popleft()
        if self.running > MAX_CONCURRENT or len(self.recent) >= MAX_PER_SECOND:
            return True
        self.recent.append(now)
        return False


def answer(body: object, status: int = 200, **headers: str) -> Response:
    """A JSON response with the notice header."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(orjson.dumps(body), status, {**HEADERS, **extra}, "application/json")


def _fault(status: int, code: int, message: str, **headers: str) -> Response:
    return answer({"code": code, "message": message, "description": message}, status, **headers)


async def health(request: Request) -> Response:
    """200 once everything is ready, 503 before."""
    service: Service = request.app.state.service
    status = "ready" if service.ready else "starting"
    body = {"status": status, "as_of": service.as_of, "notice": NOTICE}
    return answer(body, 200 if service.ready else 503)


async def token(request: Request) -> Response:
    """Client-credentials grant: Basic key and secret against a bearer token that really expires."""
    service: Service = request.app.state.service
    expected = base64.b64encode(f"{service.key}:{service.secret}".encode()).decode()
    given = request.headers.get("authorization", "").removeprefix("Basic ").strip()
    if not secrets.compare_digest(given.encode(), expected.encode()):
        return _fault(401, 900901, "Invalid Credentials")
    if b"grant_type=client_credentials" not in await request.body():
        return answer({"error": "unsupported_grant_type"}, 400)
    return _issued(service)


async def realm_token(request: Request) -> Response:
    """The same grant in the manner of Keycloak: `client_id` and `client_secret` are fields of the form."""
    service: Service = request.app.state.service
    form = dict(urllib.parse.parse_qsl((await request.body()).decode()))
    given = f"{form.get('client_id')}:{form.get('client_secret')}"
    if not secrets.compare_digest(given.encode(), f"{service.key}:{service.secret}".encode()):
        return answer({"error": "invalid_client", "error_description": "Invalid client credentials"}, 401)
    if form.get("grant_type") != "client_credentials":
        return answer({"error": "unsupported_grant_type"}, 400)
    return _issued(service)


def _issued(service: Service) -> Response:
    issued = secrets.token_urlsafe(24)
    now = time.monotonic()
    service.tokens = {t: end for t, end in service.tokens.items() if end > now}
    service.tokens[issued] = now + service.token_seconds
    return answer(
        {
            "access_token": issued,
            "token_type": "Bearer",
            "expires_in": service.token_seconds,
            "scope": "default",
        }
    )


def _refusal(service: Service, request: Request) -> Response | None:
    """Why a request is not served, if so: starting, token, throttling, a bad moment."""
    if not service.ready:
        return _fault(503, 101503, "Service is starting", retry_after="1")
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if service.tokens.get(bearer, 0) <= time.monotonic():
        return _fault(401, 900901, "Invalid Credentials" if bearer else "Missing Credentials")
    if service.throttled():
        return _fault(429, 900800, "Message throttled out", retry_after="1")
    service.requests += 1
    if service.faults and service.requests % FAIL_EVERY == FAIL_EVERY // 3:
        return _fault(503, 101503, "Error connecting to the back end")
    if service.faults and service.requests % ERROR_EVERY == ERROR_EVERY // 2:
        return answer({"Status": "ERROR", "Code": "SYS-001", "Message": "Lỗi hệ thống, vui lòng thử lại", "Data": None})
    return None


def _seconds(text: str | None) -> int | None:
    """ISO 8601 as local (UTC+7) seconds; a text without a zone is local; fractions round up."""
    if not text:
        return None
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    local = moment.replace(tzinfo=None)
    shift = moment.utcoffset()
    seconds = (local - datetime(1970, 1, 1)).total_seconds()
    if shift is not None:
        seconds += UTC_OFFSET - shift.total_seconds()
    return int(-(-seconds // 1))


def page_body(store: Store, page: int, size: int, since: int | None, before: int | None, faults: bool) -> bytes:
    """One page. Total is the source's own count of the filter; a repeated border row is not in it."""
    first, last = store.span(since, before)
    start = min(first + (page - 1) * size, last)
    end = min(start + size, last)
    body = store.records(start, end)
    if faults and page > 1 and end > start and (page * 31 + size) % REPEAT_EVERY == 0:
        body = store.records(start - 1, start) + b"," + body
    head = b'{"Status":"SUCCESS","Total":%d,"Page":%d,"PageSize":%d,"Data":[' % (last - first, page, size)
    return head + body + b"]}"


async def table_page(request: Request) -> Response:
    """GET of one table: page and its size, updated_since (inclusive), updated_before (exclusive)."""
    service: Service = request.app.state.service
    layout: Layout = LAYOUT_OF[request.url.path]
    refused = _refusal(service, request)
    if refused is not None:
        return refused
    query = request.query_params
    try:
        asked_page, asked_size = (query.get(name) for name in layout.page_names)
        page = int(asked_page or layout.first_page) - layout.first_page + 1
        size = int(asked_size or DEFAULT_PAGE)
        since, before = _seconds(query.get("updated_since")), _seconds(query.get("updated_before"))
    except ValueError as error:
        return answer({"Status": "ERROR", "Code": "REQ-400", "Message": str(error)}, 400)
    if page < 1 or not 1 <= size <= MAX_PAGE:
        message = f"page must be at least {layout.first_page} and its size 1 to {MAX_PAGE}"
        return answer({"Status": "ERROR", "Code": "REQ-400", "Message": message}, 400)
    body = page_body(service.stores[request.url.path], page, size, since, before, service.faults)
    return Response(body, 200, HEADERS, "application/json")


class Counted:
    """Counts the table requests in flight, until their last byte is sent."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; health and token requests are not counted."""
        counted = int(scope["type"] == "http" and scope["path"] in LAYOUT_OF)
        self.service.running += counted
        try:
            await self.app(scope, receive, send)
        finally:
            self.service.running -= counted


def application(service: Service) -> Starlette:
    """The ASGI application over the service state."""
    routes = [Route("/health", health), Route("/token", token, methods=["POST"])]
    routes.append(Route("/realms/{realm}/protocol/openid-connect/token", realm_token, methods=["POST"]))
    routes += [Route(layout.path, table_page) for layout in HTTP_LAYOUTS]
    app = Starlette(routes=routes, middleware=[Middleware(Counted, service=service)])
    app.state.service = service
    return app
