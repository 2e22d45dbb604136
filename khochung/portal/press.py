"""The release as its pages read it: its entries, its tree, and what has been read of both so far."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from khochung.portal import charts, places, table
from khochung.portal.places import COMMUNE, Commune
from khochung.portal.table import Table
from khochung.portal.vietnamese import sort_key
from khochung.release.catalogue import Entry, Site

THEME_ORDER = (
    "population", "society", "land", "business", "finance", "public-services", "digital-transformation", "territory",
)  # fmt: skip


class Press:
    """One making of the site: the release, the tree that its data lie in, and what has been read of them."""

    def __init__(self, site: Site, tree: Path, known: Mapping[str, Sequence[str]] | None = None) -> None:
        """`known`: the `periods` of the standing release."""
        self.site, self.tree = site, tree
        self.by_slug = {entry.dataset.slug: entry for entry in site.entries}
        self._known = known or {}
        self._newest: dict[str, Table] = {}

    def has(self, path: str) -> bool:
        """Whether the release has written a file already; pages lead to no other."""
        return (self.tree / path).is_file()

    def newest(self, slug: str) -> Table | None:
        """The latest version of a dataset as a table, read once; None when it is not published."""
        entry = self.by_slug.get(slug)
        if entry is None or entry.latest is None:
            return None
        if slug not in self._newest:
            newest = self.version(entry, entry.latest.version)
            if newest is None:
                return None
            self._newest[slug] = newest
        return self._newest[slug]

    def version(self, entry: Entry, version: str) -> Table | None:
        """One version of a dataset as a table; None when it had other columns."""
        return table.read(self.tree, entry.dataset, version)

    def forget(self, slug: str) -> None:
        """Let go of a table that no other page will ask for: thousands of them need not fit into memory."""
        if slug not in self.kept:
            self._newest.pop(slug, None)

    @cached_property
    def kept(self) -> set[str]:
        return {places.UNITS, places.CROSSWALK, *(entry.dataset.slug for entry in self.by_commune)}

    @cached_property
    def communes(self) -> tuple[Commune, ...]:
        return places.communes(self.newest(places.UNITS), self.newest(places.CROSSWALK))

    @cached_property
    def former(self) -> dict[str, list[str]]:
        return places.former_names(self.newest(places.CROSSWALK))

    @cached_property
    def in_order(self) -> list[Entry]:
        """The datasets as lists show them: by theme, people first, then by title."""
        return sorted(
            self.site.entries,
            key=lambda entry: (THEME_ORDER.index(entry.dataset.theme), sort_key(entry.dataset.title.vi)),
        )

    @cached_property
    def by_commune(self) -> list[Entry]:
        """The published datasets that have a figure for each commune, people first."""
        return [
            entry
            for entry in self.in_order
            if entry.latest
            and charts.measure_of(entry.dataset)
            and any(c.name == COMMUNE and c.role == "key" for c in entry.dataset.columns)
        ]

    @cached_property
    def about(self) -> str:
        """A digest of what every page says: the site, its notice, what its menu and its head lead to."""
        site = self.site
        return _digest(repr([site.title, site.notice, site.base_url, bool(self.communes), self.has("feed.atom")]))

    @cached_property
    def told_of_communes(self) -> str:
        """A digest of every figure by commune that is published: of the declarations and the contents of all versions."""
        versions = [
            [self.declared[e.dataset.slug], v.version, v.content_sha256] for e in self.by_commune for v in e.versions
        ]
        return _digest(repr(versions))

    @cached_property
    def facts(self) -> dict[str, str]:
        """By dataset: a digest of all that the release says of it. Several pages depend on it."""
        return {slug: _digest(f"{self.declared[slug]}{_said(entry)}") for slug, entry in self.by_slug.items()}

    @cached_property
    def declared(self) -> dict[str, str]:
        """By dataset: a digest of its declaration, which most releases leave alone."""
        return {slug: _digest(entry.dataset.model_dump_json()) for slug, entry in self.by_slug.items()}

    @cached_property
    def periods(self) -> dict[str, list[str]]:
        """By published dataset: the digest of its content, and the first and the last value of its time, if it has one.

        Read out of a table once in its life: the next release finds it in the record of this one.
        """
        return {
            entry.dataset.slug: self._periods_of(entry.dataset.slug, entry.latest.content_sha256)
            for entry in self.site.entries
            if entry.latest
        }

    def _periods_of(self, slug: str, content: str) -> list[str]:
        known = list(self._known.get(slug, ()))
        if known[:1] == [content]:
            return known
        newest = self.newest(slug)
        found = newest.periods if newest else ()
        self.forget(slug)
        return [content, found[0], found[-1]] if found else [content]

    def report(self, entry: Entry, *, newest: bool) -> dict[str, Any] | None:
        """The quality report of the version that is public, or of the newest data, which may have been held."""
        place = self.tree / "data" / entry.dataset.slug
        if not newest and entry.latest:
            place = place / "v" / entry.latest.version
        return _json(place / "quality.json")

    def beside(self, entry: Entry, version: str, name: str) -> dict[str, Any] | None:
        """A JSON file beside the data of a version, if the release writes it."""
        return _json(self.tree / "data" / entry.dataset.slug / "v" / version / name)


def _said(entry: Entry) -> str:
    """All of an entry but its declaration."""
    return repr([value for name, value in vars(entry).items() if name != "dataset"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
