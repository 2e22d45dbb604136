"""Jinja2 and the assets: everything that a page is made of, but for its facts."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

_HERE = files("khochung.portal")
ASSETS = ("site.css", "icon.svg", "search.js", "table.js", "compare.js", "sql.js")
# DuckDB for the SQL page, built by portal_src/engine; not read by the page before somebody runs a query.
ENGINE = ("duckdb.mjs", "worker.mjs", "duckdb.wasm.gz", "NOTICE.txt")
_TEMPLATES = tuple(sorted(path.name for path in (_HERE / "templates").iterdir() if path.name.endswith(".html")))
_DATA = tuple(sorted(path.name for path in (_HERE / "data").iterdir() if path.name.endswith(".json")))
_CODE = (
    "__init__",
    "addresses",
    "charts",
    "indicators",
    "pages",
    "places",
    "press",
    "score",
    "search",
    "table",
    "templates",
    "vietnamese",
    "words",
)
# Nothing from another place, nothing inline; WebAssembly only where a page asks for it.
POLICY = (
    "default-src 'none'; script-src 'self'{wasm}; worker-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'self'; base-uri 'none'; form-action 'self'"
)


def policy(*, wasm: bool = False) -> str:
    """The Content-Security-Policy of a page; nginx sends the same and forbids frames besides."""
    return POLICY.format(wasm=" 'wasm-unsafe-eval'" if wasm else "")


@cache
def environment() -> Any:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        loader=FunctionLoader(lambda name: asset("templates", name).decode()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def asset(folder: str, name: str) -> bytes:
    return (_HERE / folder / name).read_bytes()


@cache
def asset_paths() -> dict[str, str]:
    """Each asset under a name that carries its hash, so that it may be cached for ever."""
    paths = {name: f"/assets/{_hashed('assets', name)}" for name in ASSETS}
    return paths | {name: f"/assets/engine/{_hashed('engine', name)}" for name in ENGINE}


def _hashed(folder: str, name: str) -> str:
    stem, _, suffix = name.partition(".")
    return f"{stem}.{hashlib.sha256(asset(folder, name)).hexdigest()[:10]}.{suffix}"


def asset_bytes(name: str) -> bytes:
    return asset("engine" if name in ENGINE else "assets", name)


@cache
def fingerprint() -> str:
    """Changes when any page would look different for the same catalogue."""
    parts = [asset_bytes(name) for name in ASSETS] + ["".join(asset_paths().values()).encode()]
    parts += [asset("templates", name) for name in _TEMPLATES] + [asset("data", name) for name in _DATA]
    parts += [asset(".", f"{name}.py") for name in _CODE]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
