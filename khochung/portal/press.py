"""The release as its pages read it: its entries, its tree, and what has been read of both so far."""

import hashlib
import json
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

    def __init__(self, site: Site, tree: Path) -> None:
        self.site, self.tree = site, tree
        self.by_slug = {entry.dataset.slug: entry for entry in site.entries}
        self._newest: dict[str, Table] = {}
        self._facts: dict[str, str] = {}

    def has(self, path: str) -> bool:
        """Whether the release has written a file already; pages lead to no other."""
        return (self.tree / path).is_file()

    def newest(self, slug: str) -> Table | None:
        """The latest version of a dataset as a table, read once; None when it is not published."""
        entry = self.by_slug.get(slug)
        if entry is None or entry.latest is None:
            return None
        if slug not in self._newest:
            self._newest[slug] = table.read(self.tree, entry.dataset, entry.latest.version)
        return self._newest[slug]

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
    def rows_by_commune(self) -> dict[str, dict[str, Table]]:
        """By dataset and commune: the rows of its newest period."""
        return {
            entry.dataset.slug: dict(newest.latest().grouped(COMMUNE))
            for entry in self.by_commune
            if (newest := self.newest(entry.dataset.slug))
        }

    def facts(self, entry: Entry) -> str:
        """A digest of all that the release says of a dataset, worked out once: several pages depend on it."""
        slug = entry.dataset.slug
        if slug not in self._facts:
            said = [version.record() for version in (*entry.versions, *entry.withdrawn)]
            held = entry.held.model_dump() if entry.held else None
            upcoming = entry.upcoming.record() if entry.upcoming else None
            body = json.dumps([entry.dataset.model_dump(mode="json"), said, held, upcoming], sort_keys=True)
            self._facts[slug] = hashlib.sha256(body.encode()).hexdigest()
        return self._facts[slug]

    def report(self, entry: Entry, *, newest: bool) -> dict[str, Any] | None:
        """The quality report of the version that is public, or of the newest data, which may have been held."""
        place = self.tree / "data" / entry.dataset.slug
        if not newest and entry.latest:
            place = place / "v" / entry.latest.version
        return _json(place / "quality.json")

    def beside(self, entry: Entry, version: str, name: str) -> dict[str, Any] | None:
        """A JSON file beside the data of a version, if the release writes it."""
        return _json(self.tree / "data" / entry.dataset.slug / "v" / version / name)


def _json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
