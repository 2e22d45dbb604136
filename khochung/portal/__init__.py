"""The portal: pages of a release in two languages, made from its catalogue and its published files and nothing else.

How it is built and how to change it: `docs/portal.md`.
"""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khochung.portal.addresses import LANGUAGES, address, file_of
from khochung.portal.templates import fingerprint

if TYPE_CHECKING:
    from khochung.release.catalogue import Site

# What the next release compares: of what each page was made, and what was read out of tables.
RECORD = "api/v1/pages.json"


def write(site: "Site", tree: Path, standing: Path | None = None) -> tuple[int, int]:
    """Write every page, asset and search index into `tree`, which holds the data of the release already.

    What was made from the same things in the `standing` tree is linked, not made. Returns (pages made, pages linked).
    """
    # Imported here: the release package imports this one.
    from khochung.portal import pages, templates
    from khochung.portal.press import Press
    from khochung.release import files
    from khochung.release.describe import json_bytes

    before = _record(standing)
    press = Press(site, tree, before["periods"])
    place = _Place(tree, standing, before["pages"])
    for page in pages.pages(press):
        place.put(page.path, page.digest(), partial(pages.render, press, page))
    counted = place.made, place.linked
    for document in pages.documents(press):
        place.put(document.path, document.digest(), document.make)
    for name, path in templates.asset_paths().items():
        place.put(path.lstrip("/"), path, partial(templates.asset_bytes, name))
    files.write(tree / RECORD, json_bytes({"code": fingerprint(), "pages": place.record, "periods": press.periods}))
    return counted


class _Place:
    """Where files of the site come to stand: linked from the standing tree, or made."""

    def __init__(self, tree: Path, standing: Path | None, before: dict[str, str]) -> None:
        self.tree, self.standing, self.before = tree, standing, before
        self.record: dict[str, str] = {}
        self.made = self.linked = 0

    def put(self, path: str, digest: str, make: Callable[[], bytes]) -> None:
        from khochung.release import files

        self.record[path] = digest
        if (
            self.standing
            and self.before.get(path) == digest
            and _link(f"{self.standing}/{path}", f"{self.tree}/{path}")
        ):
            self.linked += 1
        else:
            files.write(self.tree / path, make())
            self.made += 1


def _link(source: str, target: str) -> bool:
    """Give a file of the standing tree a second name; False when it is not there."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    return True


def _record(standing: Path | None) -> dict[str, dict[str, Any]]:
    """What the standing release wrote down; nothing when other code or other templates made it."""
    path = standing / RECORD if standing else None
    record = json.loads(path.read_text(encoding="utf-8")) if path and path.is_file() else {}
    if record.get("code") != fingerprint():
        return {"pages": {}, "periods": {}}
    return {name: record[name] for name in ("pages", "periods")}


__all__ = ["LANGUAGES", "RECORD", "address", "file_of", "fingerprint", "write"]
