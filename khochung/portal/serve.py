"""A small static server for `make run`: ranges, no directory listings, the headers that the portal is built for.

`python -m khochung.portal.serve DOCROOT PORT`. On servers nginx does this; see `deploy/`.
"""

import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from khochung.portal.addresses import LANGUAGES, address
from khochung.portal.templates import policy

# An address below a version, but for what stands in the place of a withdrawn one.
VERSION = re.compile(r"/(data/[^/]+/v/[^/]+)/(?!(?:tombstone\.json|index\.html)$)")
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Access-Control-Allow-Origin": "*"}


def _policy(path: str) -> str:
    """That of the page; a worker has one of its own, and the engine of the SQL page unpacks itself into a blob."""
    wasm = path.startswith("/assets/engine/")
    sql = path in {address("sql", lang) for lang in LANGUAGES}
    sent = policy(wasm=wasm or sql)
    return (
        sent.replace("connect-src 'self'", "connect-src 'self' blob:") if wasm else sent
    ) + "; frame-ancestors 'none'"


async def _headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS | {"Content-Security-Policy": _policy(request.url.path)})
    return response


def application(docroot: Path) -> Starlette:
    """An ASGI application over `docroot`, which may be a symbolic link that changes while it runs."""
    missing = PlainTextResponse("Chưa có bản công bố nào. / Nothing has been released yet.\n", status_code=404)

    class Docroot(StaticFiles):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            version = VERSION.match(scope["path"])
            if version and (docroot / version[1] / "tombstone.json").is_file():
                gone = FileResponse(docroot / version[1] / "index.html", status_code=410)
                await gone(scope, receive, send)
            else:
                await (super().__call__ if docroot.exists() else missing)(scope, receive, send)

    files = Docroot(directory=docroot, html=True, check_dir=False)
    return Starlette(routes=[Mount("/", files)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=_headers)])


if __name__ == "__main__":
    uvicorn.run(application(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
