"""All catalogues of a tree say the same: which datasets there are, in which version, and where their files are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Said = dict[str, tuple[str, frozenset[str]]]


def check(root: Path, note: Callable[[str, str], None]) -> None:
    """Note each catalogue that differs from the indexes of the versions, and each address that leads nowhere."""
    wanted = _from_indexes(root)
    for name, read in READERS.items():
        path = root / name
        if not path.is_file():
            note(name, "missing")
            continue
        found = read(json.loads(path.read_text(encoding="utf-8")))
        for slug in sorted(wanted.keys() | found.keys()):
            # Datasets that are no longer declared keep their files and leave the catalogues.
            if slug in found and found[slug] != wanted.get(slug):
                note(name, f"{slug}: names another version or other files than its versions.json")
    lists = {name: set(read(json.loads((root / name).read_text(encoding="utf-8")))) for name, read in READERS.items()
             if (root / name).is_file()}  # fmt: skip
    if any(listed != next(iter(lists.values())) for listed in lists.values()):
        note("catalogues", "do not list the same datasets: " + "; ".join(f"{n}: {len(s)}" for n, s in lists.items()))


def _from_indexes(root: Path) -> Said:
    said: Said = {}
    for path in sorted(root.glob("data/*/versions.json")):
        index = json.loads(path.read_text(encoding="utf-8"))
        for version in index["versions"]:
            if version["version"] == index["latest"]:
                folder = f"/data/{index['dataset']}/v/{version['version']}"
                names = frozenset(f"{folder}/{file['name']}" for file in version["files"] if file["format"])
                said[index["dataset"]] = version["version"], names
    return said


def _from_api(content: Any) -> Said:
    return {
        item["slug"]: (item["version"], frozenset(_path(f["url"]) for f in item["files"] if f["format"]))
        for item in content["datasets"]
        if item["version"]
    }


def _from_data_json(content: Any) -> Said:
    said = {}
    for item in content["dataset"]:
        slug = _path(item["identifier"]).strip("/").rpartition("/")[2]
        said[slug] = item["version"], frozenset(_path(d["downloadURL"]) for d in item["distribution"])
    return said


def _from_dcat(content: Any) -> Said:
    return {
        item["dct:identifier"]: (
            item["dcat:version"],
            frozenset(_path(d["dcat:downloadURL"]["@id"]) for d in item["dcat:distribution"]),
        )
        for item in content["dcat:dataset"]
    }


def _path(address: str) -> str:
    return urlsplit(address).path


READERS: dict[str, Callable[[Any], Said]] = {
    "api/v1/catalog.json": _from_api,
    "data.json": _from_data_json,
    "catalog.jsonld": _from_dcat,
}
