"""GeoJSON (RFC 7946) of a dataset that declares a `geometry`: one point for each row, WGS 84, longitude first.

The properties of a feature are its whole row, so that the file is read back like any other; a row without coordinates has
no geometry. The note of the declaration says how exact the points are.
"""

import json
from collections.abc import Sequence
from typing import Any

from khochung.contract import Dataset
from khochung.errors import GateError
from khochung.release.content import Content, expect_names

MEDIA_TYPE = "application/geo+json"


def holds(content: Content) -> bool:
    """True where the dataset says which columns its points are in."""
    return content.dataset.geometry is not None


def write(content: Content, records: Sequence[str]) -> bytes:
    """A FeatureCollection, one feature per line. `records`: each row as a JSON object."""
    geometry = content.dataset.geometry
    if geometry is None:
        raise GateError(f"{content.dataset.slug} declares no geometry")
    places = [content.names.index(name) for name in geometry.position]
    lines = [
        f'{{"type":"Feature","geometry":{_point([row[place] for place in places])},"properties":{record}}}'
        for row, record in zip(content.rows, records, strict=True)
    ]
    note = json.dumps({"vi": geometry.note.vi, "en": geometry.note.en}, ensure_ascii=False)
    head = f'{{"type":"FeatureCollection","name":"{content.dataset.slug}","note":{note},"features":[\n'
    return (head + ",\n".join(lines) + "\n]}\n").encode()


def _point(position: Sequence[str | None]) -> str:
    return "null" if None in position else f'{{"type":"Point","coordinates":[{position[0]},{position[1]}]}}'


def records(data: bytes, dataset: Dataset) -> list[dict[str, Any]]:
    """The properties of the features, numbers as texts. Raises GateError where a point is not that of its properties."""
    collection = json.loads(data, parse_float=str, parse_int=str)
    found = [feature["properties"] for feature in collection["features"]]
    for number, (feature, row) in enumerate(zip(collection["features"], found, strict=True), start=1):
        expect_names(list(row), dataset, "GeoJSON")
        position = [row[name] for name in dataset.geometry.position] if dataset.geometry else []
        if feature["geometry"] != (None if None in position else {"type": "Point", "coordinates": position}):
            raise GateError(f"{dataset.slug}: feature {number} of the GeoJSON file is not where its properties say")
    return found
