"""Atom feeds (RFC 4287): one of the site and one of each dataset; an entry per version, withdrawal and announcement."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as xml

from khochung.release.catalogue import Entry, Site, VersionFact
from khochung.strict import Text

_ATOM = "http://www.w3.org/2005/Atom"
NEWEST = 50  # entries of a feed
xml.register_namespace("", _ATOM)


@dataclass(frozen=True)
class _News:
    day: date
    slug: str
    about: str
    title: Text
    summary: Text
    path: str


def documents(site: Site) -> dict[str, bytes]:
    """Path below the docroot -> bytes of every feed."""
    news = {entry.dataset.slug: sorted(_news(entry), key=_order, reverse=True) for entry in site.entries}
    everything = sorted((one for found in news.values() for one in found), key=_order, reverse=True)
    found = {"feed.atom": _feed(site, "/feed.atom", site.title, everything)}
    for entry in site.entries:
        slug = entry.dataset.slug
        path = f"/data/{slug}/feed.atom"
        found[path[1:]] = _feed(site, path, entry.dataset.title, news[slug])
    return found


def _order(news: _News) -> tuple[date, str, str]:
    return news.day, news.slug, news.about


def _news(entry: Entry) -> Iterator[_News]:
    slug, title = entry.dataset.slug, entry.dataset.title
    for fact in (*entry.versions, *entry.withdrawn):
        yield _version(slug, title, fact)
        if fact.withdrawn:
            head = Text(vi=f"Thu hồi: {title.vi} {fact.version}", en=f"Withdrawn: {title.en} {fact.version}")
            path = f"/data/{slug}/v/{fact.version}/tombstone.json"
            yield _News(fact.withdrawn.on, slug, f"{fact.version} withdrawn", head, fact.withdrawn.reason, path)
    if entry.upcoming:
        columns = ", ".join(entry.upcoming.columns)
        head = Text(vi=f"Sắp thay đổi: {title.vi} ({columns})", en=f"To change: {title.en} ({columns})")
        path = f"/data/{slug}/versions.json"
        yield _News(entry.upcoming.since, slug, f"upcoming {columns}", head, entry.upcoming.note, path)


def _version(slug: str, title: Text, fact: VersionFact) -> _News:
    head = Text(vi=f"{title.vi}: phiên bản {fact.version}", en=f"{title.en}: version {fact.version}")
    left = "tombstone.json" if fact.withdrawn else "datapackage.json"
    return _News(fact.released, slug, fact.version, head, fact.reason, f"/data/{slug}/v/{fact.version}/{left}")


def _feed(site: Site, path: str, title: Text, news: list[_News]) -> bytes:
    root = xml.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "vi"})
    _text(root, "id", _urn(site, path))
    _text(root, "title", f"{title.vi} / {title.en}")
    _text(root, "updated", _moment(max((one.day for one in news), default=site.as_of)))
    _element(root, "link", rel="self", type="application/atom+xml", href=site.url(path))
    _element(root, "link", rel="alternate", type="text/html", href=site.url("/index.html"))
    _text(_element(root, "author"), "name", f"{site.province.name.vi} / {site.province.name.en}")
    for one in news[:NEWEST]:
        entry = _element(root, "entry")
        _text(entry, "id", _urn(site, f"/data/{one.slug}/{one.about}"))
        _text(entry, "title", f"{one.title.vi} / {one.title.en}")
        _text(entry, "updated", _moment(one.day))
        _element(entry, "link", rel="alternate", type="application/json", href=site.url(one.path))
        _text(entry, "summary", f"{one.summary.vi} / {one.summary.en}")
    xml.indent(root)
    return bytes(xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _element(parent: xml.Element, name: str, **attributes: str) -> xml.Element:
    return xml.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)


def _text(parent: xml.Element, name: str, text: str) -> None:
    _element(parent, name).text = text


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00+07:00"


def _urn(site: Site, path: str) -> str:
    """The same for ever, wherever the site is served from."""
    return uuid5(NAMESPACE_URL, f"khochung/{site.province.code}{path}").urn
