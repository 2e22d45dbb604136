"""The pages of a release, rendered from its catalogue: plain HTML, one style sheet, no script."""

import hashlib
import json
from calendar import month_name
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from khochung.release.catalogue import Site

LANGUAGES = {"vi": "index.html", "en": "en/index.html"}
ASSETS = ("site.css", "icon.svg")
# No script at all, and nothing from another place; the pages work from a folder as from a server.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
_HERE = files(__name__)


def render(site: "Site") -> dict[str, bytes]:
    """Path below the docroot -> bytes of every page and asset."""
    template = _environment().get_template("index.html")
    pages = {
        path: template.render(
            site=site, lang=lang, t=_words()[lang], assets=_asset_paths(), policy=POLICY, languages=LANGUAGES,
            number=_number(lang), size=_size(lang), day=_day(lang), **_parts(site),
        ).encode()
        for lang, path in LANGUAGES.items()
    }  # fmt: skip
    return pages | {path.lstrip("/"): _read("assets", name) for name, path in _asset_paths().items()}


def fingerprint() -> str:
    """Changes when any page would look different for the same catalogue."""
    parts = [_read("assets", name) for name in ASSETS]
    parts += [_read("templates", "index.html"), _read("templates", "words.json")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _parts(site: "Site") -> dict[str, Any]:
    # Imported here: the release package imports this one.
    from khochung.release.catalogue import CATALOGUE_SUMMARY
    from khochung.release.describe import OPEN, disclosure_note
    from khochung.release.formats import FORMATS

    labels = {form.suffix: form.label for form in FORMATS}
    total = sum(entry.latest.rows for entry in site.entries if entry.latest)
    return {
        "title": site.title,
        "province": site.province.name,
        "summary": CATALOGUE_SUMMARY,
        "licence": OPEN,
        "disclosure_note": disclosure_note,
        "label_of": lambda fact: labels[fact.format],
        "total_rows": total,
    }


@cache
def _environment() -> Any:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def load(name: str) -> str:
        return _read("templates", name).decode()

    return Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _words() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = json.loads(_read("templates", "words.json"))
    return {lang: {name: texts[lang] for name, texts in table.items()} for lang in LANGUAGES}


def _read(folder: str, name: str) -> bytes:
    return (_HERE / folder / name).read_bytes()


@cache
def _asset_paths() -> dict[str, str]:
    """Each asset under a name that carries its hash, so that it may be cached for ever."""
    paths = {}
    for name in ASSETS:
        stem, _, suffix = name.partition(".")
        paths[name] = f"/assets/{stem}.{hashlib.sha256(_read('assets', name)).hexdigest()[:10]}.{suffix}"
    return paths


def _number(lang: str) -> Any:
    return lambda value: f"{value:,}".replace(",", "." if lang == "vi" else ",")


def _size(lang: str) -> Any:
    """Bytes in decimal units, as file managers and download dialogues show them."""

    def text(value: int) -> str:
        for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
            if value >= scale:
                shown = f"{value / scale:.1f} {unit}"
                return shown.replace(".", ",") if lang == "vi" else shown
        return f"{value} B"

    return text


def _day(lang: str) -> Any:
    def text(value: date) -> str:
        if lang == "vi":
            return value.strftime("%d/%m/%Y")
        return f"{value.day} {month_name[value.month]} {value.year}"

    return text
