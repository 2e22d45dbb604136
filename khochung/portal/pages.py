"""Every page of the site: its place, its template, all that it depends on, and how to gather what it shows.

`inputs` is JSON. A page whose inputs are those of the standing release is not made again: its file is linked. What
changes with every release, its number and day, is therefore said on the few pages about the release as a whole only.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from khochung.contract import Dataset
from khochung.portal import charts, indicators, places, score, search, table, templates
from khochung.portal.addresses import LANGUAGES, address, file_of
from khochung.portal.places import Commune
from khochung.portal.press import THEME_ORDER, Press
from khochung.portal.table import Table
from khochung.portal.vietnamese import fold
from khochung.portal.words import Speech
from khochung.release import schema_org
from khochung.release.catalogue import CATALOGUE_SUMMARY, Entry, Site
from khochung.release.describe import OPEN, FileFact, bilingual, disclosure_note
from khochung.release.formats import FORMATS

PREVIEW_ROWS = 10
# Hexadecimal digits that tell what pages were made of apart.
DIGEST = 24
RECENT = 5
# What the developers' page lists: address, and what it is in both languages.
DOCUMENTS = (
    ("/api/v1/catalog.json", "danh mục: mọi bộ dữ liệu, cột, tệp", "the catalogue: every dataset, column and file"),
    (
        "/api/v1/status.json",
        "tình trạng: mới hay chậm, đạt hay không",
        "the state of each dataset: current or late, passed or not",
    ),
    ("/catalog.jsonld", "danh mục DCAT-AP 3 (JSON-LD)", "the catalogue as DCAT-AP 3 (JSON-LD)"),
    ("/catalog.ttl", "danh mục DCAT-AP 3 (Turtle)", "the catalogue as DCAT-AP 3 (Turtle)"),
    ("/api/v1/withdrawals.json", "những gì đã rút", "what was withdrawn"),
    ("/feed.atom", "tin mới (Atom)", "news (Atom)"),
    ("/data.json", "danh mục data.json (DCAT-US 1.1)", "the catalogue as data.json (DCAT-US 1.1)"),
    ("/SHA256SUMS", "mã SHA-256 của mọi tệp", "SHA-256 of every file"),
    ("/data/<slug>/versions.json", "các phiên bản của một bộ dữ liệu", "the versions of a dataset"),
    (
        "/data/<slug>/v/<version>/",
        "một phiên bản: dữ liệu, datapackage.json, quality.json, disclosure.json, SHA256SUMS",
        "one version: data, datapackage.json, quality.json, disclosure.json, SHA256SUMS",
    ),
    ("/data/<slug>/latest/", "phiên bản mới nhất, cùng tên tệp", "the newest version under the same file names"),
)
LABELS = {form.suffix: form.label for form in FORMATS}


@dataclass(frozen=True)
class Page:
    """A page to be. `path`: below the docroot; `view`: what its template asks for, gathered only when it is rendered."""

    path: str
    lang: str
    template: str
    inputs: Any
    view: Callable[[], dict[str, Any]]
    key: str = ""
    places: dict[str, str] = field(default_factory=dict)
    wasm: bool = False

    def digest(self) -> str:
        return _digest([self.template, self.places, self.inputs])


@dataclass(frozen=True)
class Document:
    """A file that the scripts of pages read, made like a page. `make`: its bytes."""

    path: str
    inputs: Any
    make: Callable[[], bytes]

    def digest(self) -> str:
        return _digest(self.inputs)


def _digest(made_of: Any) -> str:
    body = json.dumps(made_of, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(body.encode()).hexdigest()[:DIGEST]


def pages(press: Press) -> Iterator[Page]:
    """All pages, in a stable order; those of one dataset stand together, so that its table is read once."""
    for lang in LANGUAGES:
        speech = Speech(lang)
        yield from (make(press, speech) for make in (_home, _catalogue, _compare, _sql, _status))
        yield from (make(press, speech) for make in (_withdrawals, _statements, _developers))
        if press.communes:
            yield _communes(press, speech)
    for entry in press.site.entries:
        for lang in LANGUAGES:
            yield _dataset(press, Speech(lang), entry)
        press.forget(entry.dataset.slug)
    told = indicators.Told(press)
    for commune in press.communes:
        for lang in LANGUAGES:
            yield _commune(press, told, Speech(lang), commune)
    yield _missing(press)


def _page(
    press: Press, speech: Speech, name: str, inputs: Any, view: Callable[[], dict[str, Any]], key: str = "",
    wasm: bool = False,
) -> Page:  # fmt: skip
    other = {lang: address(name, lang, key) for lang in LANGUAGES}
    template = f"{name}.html"
    return Page(file_of(name, speech.lang, key), speech.lang, template, [press.about, inputs], view, key, other, wasm)


def _everything(press: Press) -> list[Any]:
    return [press.site.release_id, press.site.as_of, press.facts]


def _home(press: Press, speech: Speech) -> Page:
    def view() -> dict[str, Any]:
        published = [entry for entry in press.site.entries if entry.latest]
        recent = sorted(published, key=lambda e: (e.latest.released, e.dataset.slug) if e.latest else (), reverse=True)
        themes: dict[str, int] = {}
        for entry in press.site.entries:
            themes[entry.dataset.theme] = themes.get(entry.dataset.theme, 0) + 1
        themes = {theme: themes[theme] for theme in THEME_ORDER if theme in themes}
        first = press.by_commune[0] if press.by_commune else None
        newest = press.newest(first.dataset.slug) if first else None
        return {
            "embedded": _embedded(schema_org.catalogue(press.site)),
            "recent": recent[:RECENT],
            "themes": themes,
            "rows": sum(entry.latest.rows for entry in published if entry.latest),
            "late": [entry for entry in press.site.entries if entry.held],
            "headlines": [
                _headline(speech, entry, newest_of)
                for entry in press.by_commune
                if (newest_of := press.newest(entry.dataset.slug)) and _may_be_summed(entry, newest_of.latest())
            ],
            "first": first,
            "map": _map(press, speech, newest) if newest else None,
            "chart": charts.picture(speech, newest) if newest else None,
            "communes": press.communes,
        }

    return _page(press, speech, "home", _everything(press), view)


def _headline(speech: Speech, entry: Entry, newest: Table) -> dict[str, Any]:
    """One figure for a dataset: its first measure over the rows of its newest period."""
    measure = charts.measure_of(entry.dataset)
    assert measure is not None  # noqa: S101 (by_commune lists none without)
    rows = newest.latest()
    total = rows.total(measure)
    time = table.time_column(entry.dataset)
    return {
        "entry": entry,
        "label": measure.label,
        "unit": measure.unit,
        "value": total.value,
        "withheld": total.withheld,
        "period": speech.period(newest.periods[-1], time) if time and newest.periods else None,
    }


def _may_be_summed(entry: Entry, rows: Table) -> bool:
    measure = charts.measure_of(entry.dataset)
    return measure is not None and not charts.too_much_withheld(rows, rows.total(measure).withheld)


def _map(press: Press, speech: Speech, newest: Table) -> charts.Dots | None:
    return charts.dots(speech, newest.latest(), press.communes, lambda code: address("commune", speech.lang, code))


def _catalogue(press: Press, speech: Speech) -> Page:
    def view() -> dict[str, Any]:
        values = {slug: facet_values(speech, entry) for slug, entry in press.by_slug.items()}
        # As the attributes of a card hold them; joined here, for there are thousands.
        cards = {slug: [(facet, " ".join(found)) for facet, found in one.items()] for slug, one in values.items()}
        return {"facets": _facets(values.values()), "cards": cards}

    return _page(press, speech, "catalogue", press.facts, view)


def facet_values(speech: Speech, entry: Entry) -> dict[str, dict[str, str]]:
    """Facet -> value -> its words, for one dataset."""
    dataset = entry.dataset
    level, vintage = dataset.disclosure.geography, dataset.disclosure.vintage
    formats = [fact.format for fact in entry.latest.data_files if fact.format] if entry.latest else []
    return {
        "theme": {dataset.theme: speech.word(dataset.theme)},
        "agency": {fold(dataset.publisher.vi).replace(" ", "-"): speech.pick(dataset.publisher)},
        "format": {suffix.replace(".", "-"): LABELS.get(suffix, suffix) for suffix in formats},
        "frequency": {dataset.frequency: speech.word(dataset.frequency)},
        "geography": {level: speech.word(f"geography:{level}")},
        "vintage": {vintage.isoformat(): speech.say(f"từ {speech.day(vintage)}", f"since {speech.day(vintage)}")}
        if vintage
        else {},
    }


def _facets(datasets: Iterable[dict[str, dict[str, str]]]) -> dict[str, list[tuple[str, str, int]]]:
    """Facet -> its values with their words and how many datasets have them, the most frequent first."""
    counted: dict[str, dict[str, list[Any]]] = {}
    for facets in datasets:
        for facet, values in facets.items():
            for value, words in values.items():
                counted.setdefault(facet, {}).setdefault(value, [words, 0])[1] += 1
    return {
        facet: sorted(((value, words, count) for value, (words, count) in found.items()), key=lambda v: (-v[2], v[1]))
        for facet, found in counted.items()
    }


def _dataset(press: Press, speech: Speech, entry: Entry) -> Page:
    slug, latest = entry.dataset.slug, entry.latest
    held = press.report(entry, newest=True) if entry.held else None
    places_known = [commune.code for commune in press.communes] if entry in press.by_commune else []
    broken = [c for c in held["checks"] if not c["passed"]] if held else []

    def view() -> dict[str, Any]:
        newest = press.newest(slug)
        return {
            "embedded": _embedded(schema_org.dataset(press.site, entry)),
            "entry": entry,
            "d": entry.dataset,
            "last": latest,
            "broken": broken,
            "report": press.report(entry, newest=False) if latest else None,
            "disclosure": press.beside(entry, latest.version, "disclosure.json") if latest else None,
            "note": disclosure_note(entry.dataset),
            "differences": {v.version: press.beside(entry, v.version, "diff.json") for v in entry.versions},
            "preview": _preview(speech, newest) if newest else None,
            "chart": charts.picture(speech, newest) if newest else None,
            "map": _map(press, speech, newest) if newest and entry in press.by_commune else None,
            "period": _period(press, speech, entry) if newest else None,
            "report_error": _mail(press.site, entry, speech),
            "criteria": score.criteria(press, entry) if latest else (),
            "provenance": press.beside(entry, latest.version, "provenance.json") if latest else None,
        }

    inputs = [press.facts[slug], broken, places_known]
    return _page(press, speech, "dataset", inputs, view, slug)


def _period(press: Press, speech: Speech, entry: Entry) -> tuple[str, str] | None:
    """The first and the last period of the newest version, in words."""
    column, time = table.time_column(entry.dataset), press.periods[entry.dataset.slug][1:]
    return (speech.period(time[0], column), speech.period(time[1], column)) if column and time else None


def _preview(speech: Speech, newest: Table) -> dict[str, Any]:
    """The first rows as people read them; a withheld cell says so, its flag has no column of its own."""
    hidden = table.flags(newest.dataset)
    columns = [c for c in newest.dataset.columns if c.name not in hidden]
    rows = []
    for row in newest.rows[:PREVIEW_ROWS]:
        cells = []
        for column in columns:
            text = row[newest.place[column.name]]
            flag = newest.place.get(column.name + table.FLAG)
            withheld = flag is not None and row[flag] == "true"
            cells.append((speech.cell(text, column), column.role == "measure", withheld))
        rows.append(cells)
    return {"columns": columns, "rows": rows}


def _mail(site: Site, entry: Entry, speech: Speech) -> str | None:
    """A prepared letter to the publisher; None when the contact is no mail address."""
    contact = entry.dataset.contact
    if "@" not in contact or ":" in contact:
        return None
    version = entry.latest.version if entry.latest else "-"
    page = site.url(address("dataset", speech.lang, entry.dataset.slug))
    subject = speech.say("Báo lỗi dữ liệu", "Data error")
    body = speech.say(
        f"Bộ dữ liệu: {entry.dataset.title.vi}\nPhiên bản: {version}\nTrang: {page}\n\nDòng, cột bị sai:\nGiá trị đúng và căn cứ:\n",
        f"Dataset: {entry.dataset.title.en}\nVersion: {version}\nPage: {page}\n\nRow and column that are wrong:\n"
        "What is right, and by which source:\n",
    )
    return f"mailto:{contact}?subject={quote(f'{subject}: {entry.dataset.slug} {version}')}&body={quote(body)}"


def _communes(press: Press, speech: Speech) -> Page:
    inputs = [[c.code, c.name, c.point] for c in press.communes] + [press.told_of_communes]

    def view() -> dict[str, Any]:
        letters: dict[str, list[Commune]] = {}
        for commune in press.communes:
            letters.setdefault(commune.bare_name[0].upper(), []).append(commune)
        first = press.newest(press.by_commune[0].dataset.slug) if press.by_commune else None
        return {"letters": letters, "former": press.former, "map": _map(press, speech, first) if first else None}

    return _page(press, speech, "communes", inputs, view)


def _commune(press: Press, told: indicators.Told, speech: Speech, commune: Commune) -> Page:
    # Each page has the province beside the commune: another figure anywhere may show on all of them.
    def view() -> dict[str, Any]:
        found = [told.about(speech, entry, commune.code) for entry in press.by_commune]
        return {"commune": commune, "indicators": [one for one in found if one]}

    inputs = [commune.inputs(), press.told_of_communes]
    return _page(press, speech, "commune", inputs, view, commune.code)


def _compare(press: Press, speech: Speech) -> Page:
    several = [entry for entry in press.in_order if len(entry.versions) > 1]
    inputs = [[entry.dataset.slug, bilingual(entry.dataset.title)] for entry in several]
    return _page(press, speech, "compare", inputs, lambda: {"several": several})


def _sql(press: Press, speech: Speech) -> Page:
    published = [entry.dataset for entry in press.in_order if entry.latest]
    inputs = [[dataset.slug, dataset.model, bilingual(dataset.title)] for dataset in published]
    found = {"published": published, "engine_bytes": sum(len(templates.asset_bytes(name)) for name in templates.ENGINE)}
    return _page(press, speech, "sql", inputs, lambda: found, wasm=True)


def _status(press: Press, speech: Speech) -> Page:
    inputs = [press.site.release_id, press.site.as_of, press.site.build_id, press.facts]

    def view() -> dict[str, Any]:
        entries = [entry for entry in press.site.entries if entry.latest]
        periods = {entry.dataset.slug: _period(press, speech, entry) for entry in entries}
        return {"periods": periods, "expected": {entry.dataset.slug: _expected(press, entry) for entry in entries}}

    return _page(press, speech, "status", inputs, view)


MONTHS = {"MONTHLY": 1, "QUARTERLY": 3, "ANNUAL": 12}


def _expected(press: Press, entry: Entry) -> str:
    """The month at whose end the next period is complete: `10/2025`; a dash where nothing is promised by month."""
    months = MONTHS.get(entry.dataset.frequency)
    if months is None:
        return "–"
    time = press.periods[entry.dataset.slug][1:]
    last = date.fromisoformat(time[1]) if time else press.site.as_of
    ahead = last.year * 12 + last.month - 1 + months
    return f"{ahead % 12 + 1}/{ahead // 12}"


def _withdrawals(press: Press, speech: Speech) -> Page:
    withdrawn = list(press.site.withdrawals)
    return _page(press, speech, "withdrawals", [str(one) for one in withdrawn], lambda: {"withdrawn": withdrawn})


def _statements(press: Press, speech: Speech) -> Page:
    policies = [entry.dataset for entry in press.site.entries]
    key = press.site.public_key
    inputs = [key, [dataset.disclosure.model_dump(mode="json") | bilingual(dataset.title) for dataset in policies]]
    found = {"policies": policies, "note": disclosure_note, "public_key": key}
    return _page(press, speech, "statements", inputs, lambda: found)


def _developers(press: Press, speech: Speech) -> Page:
    example = next((entry for entry in press.site.entries if entry.latest), None)
    # What a release does not write is not promised; the checksums come last, when the pages stand.
    there = [d for d in DOCUMENTS if "<" in d[0] or d[0] == "/SHA256SUMS" or press.has(d[0].lstrip("/"))]
    version = [example.dataset.slug, example.latest.version] if example and example.latest else None
    inputs = [version, [document[0] for document in there]]
    found = {"example": example, "documents": there}
    return _page(press, speech, "developers", inputs, lambda: found)


def _missing(press: Press) -> Page:
    """One page for both languages: the server does not know in which one the address was meant."""
    page = _page(press, Speech("vi"), "home", None, dict)
    return Page(
        "404.html", "vi", "404.html", page.inputs, dict, places={lang: address("home", lang) for lang in LANGUAGES}
    )


def render(press: Press, page: Page) -> bytes:
    """The bytes of a page."""
    speech = Speech(page.lang)
    site = press.site
    shared = {
        "site": site, "lang": page.lang, "page": page, "press": press, "speech": speech, "say": speech.say,
        "pick": speech.pick, "word": speech.word, "number": speech.number, "size": speech.size, "day": speech.day,
        "to": lambda name, key="": address(name, page.lang, key), "assets": templates.asset_paths(),
        "policy": templates.policy(wasm=page.wasm), "licence": OPEN, "summary": CATALOGUE_SUMMARY,
        "label_of": _label, "bare": places.bare,
        "text_columns": _pandas_types, "r_columns": _r_types,
    }  # fmt: skip
    text: str = templates.environment().get_template(page.template).render(shared | page.view())
    return text.encode()


def _text_columns(dataset: Dataset) -> list[str]:
    """Columns that programs would take for numbers, and that are codes."""
    return [c.name for c in dataset.columns if c.data_type == "text" and c.role == "key"]


def _pandas_types(dataset: Dataset) -> str:
    return ", ".join(f'"{name}": "string"' for name in _text_columns(dataset))


def _r_types(dataset: Dataset) -> str:
    return ", ".join(f"{name} = col_character()" for name in _text_columns(dataset))


def _embedded(body: dict[str, Any]) -> Markup:
    """JSON-LD for inside a page: no `<` may end the script before its time."""
    return Markup(json.dumps(body, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704 (escaped by hand)


def _label(fact: FileFact) -> str:
    return LABELS.get(fact.format or "", fact.name)


def documents(press: Press) -> Iterator[Document]:
    """The search index of each language, which only declarations and communes make different."""
    entries = [entry for entry in press.site.entries if entry.latest or entry.held]
    known = [press.declared[entry.dataset.slug] for entry in entries]
    communes = [[c.code, c.name, press.former.get(c.code)] for c in press.communes]
    for lang in LANGUAGES:

        def make(lang: str = lang) -> bytes:
            return _compact(search.document(entries, press.communes, press.former, lang))

        yield Document(f"api/v1/search.{lang}.json", [known, communes], make)


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
