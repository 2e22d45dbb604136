"""The portal: pages of a release in two languages, made from its catalogue and its published files and nothing else.

How it is built and how to change it: `docs/portal.md`.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from khochung.portal.addresses import LANGUAGES, address, file_of
from khochung.portal.templates import fingerprint

if TYPE_CHECKING:
    from khochung.release.catalogue import Site

# Path of each page -> digest of all that it was made from; the next release compares.
RECORD = "api/v1/pages.json"


def write(site: "Site", tree: Path, standing: Path | None = None) -> tuple[int, int]:
    """Write every page, asset and search index into `tree`, which holds the data of the release already.

    A page that was made from the same things in the `standing` tree is linked, not made. Returns (made, linked).
    """
    # Imported here: the release package imports this one.
    from khochung.portal import pages, templates
    from khochung.portal.press import Press
    from khochung.release import files
    from khochung.release.describe import json_bytes

    press = Press(site, tree)
    before = _record(standing)
    record: dict[str, str] = {}
    made = linked = 0
    for page in pages.pages(press):
        digest = record[page.path] = page.digest()
        if standing and before.get(page.path) == digest and (standing / page.path).is_file():
            (tree / page.path).parent.mkdir(parents=True, exist_ok=True)
            os.link(standing / page.path, tree / page.path)
            linked += 1
        else:
            files.write(tree / page.path, pages.render(press, page))
            made += 1
    for name, path in templates.asset_paths().items():
        kept = standing / path.lstrip("/") if standing else None
        if kept and kept.is_file():
            (tree / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            os.link(kept, tree / path.lstrip("/"))
        else:
            files.write(tree / path.lstrip("/"), templates.asset_bytes(name))
    for path, data in (pages.documents(press) | {RECORD: json_bytes(record)}).items():
        files.write(tree / path, data)
    return made, linked


def _record(standing: Path | None) -> dict[str, str]:
    path = standing / RECORD if standing else None
    if path is None or not path.is_file():
        return {}
    record: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return record


__all__ = ["LANGUAGES", "RECORD", "address", "file_of", "fingerprint", "write"]
