"""What changed between two versions of a dataset: rows, columns, and why.

A version's `diff.json` names the keys of rows that it adds or changes, and only counts those that it leaves out: what
stands in an earlier version alone must not live on in a later one, since the earlier can be withdrawn.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khochung.contract import Dataset
from khochung.errors import GateError
from khochung.release.content import Content, Row, unguarded
from khochung.release.describe import bilingual, table_schema
from khochung.strict import Text

LISTED = 1000  # keys of each kind in diff.json; the counts are always whole


@dataclass(frozen=True)
class Table:
    """A published table as its files say: fields of the Table Schema, and rows by the values of their key."""

    fields: tuple[Mapping[str, Any], ...]
    key: tuple[str, ...]
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, content: Content) -> "Table":
        schema = table_schema(content.dataset)
        return cls(tuple(schema["fields"]), tuple(schema["primaryKey"]), content.rows)

    @classmethod
    def published(cls, folder: Path, slug: str) -> "Table":
        """The table in the folder of a version. Raises GateError when the folder lacks it."""
        try:
            package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
            data = (folder / f"{slug}.csv").read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise GateError(f"{slug} {folder.name}: {Path(error.filename).name} is missing from the version") from error
        schema = next(resource["schema"] for resource in package["resources"] if "schema" in resource)
        texts = [field["type"] == "string" for field in schema["fields"]]
        _, *rows = csv.reader(io.StringIO(data, newline=""))
        cells = tuple(
            tuple((unguarded(cell) if text else cell) or None for text, cell in zip(texts, row, strict=True))
            for row in rows
        )
        return cls(tuple(schema["fields"]), tuple(schema["primaryKey"]), cells)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field["name"] for field in self.fields)

    def by_key(self) -> dict[Row, Row]:
        places = [self.names.index(name) for name in self.key]
        return {tuple(row[place] for place in places): row for row in self.rows}


@dataclass(frozen=True)
class Difference:
    """`changed`: key of a row -> the names of its columns that changed."""

    added: tuple[Row, ...]
    removed: tuple[Row, ...]
    changed: Mapping[Row, tuple[str, ...]]
    unchanged: int


def compare(old: Table, new: Table) -> Difference:
    """The rows of `new` against those of `old`. Under another key no row is the same: all are removed and added."""
    before, after = old.by_key(), new.by_key()
    if old.key != new.key:
        return Difference(tuple(after), tuple(before), {}, 0)
    shared = [name for name in new.names if name in old.names and name not in new.key]
    places = [(name, old.names.index(name), new.names.index(name)) for name in shared]
    changed = {}
    for key, row in after.items():
        if key in before:
            names = tuple(name for name, left, right in places if before[key][left] != row[right])
            if names:
                changed[key] = names
    added = tuple(key for key in after if key not in before)
    removed = tuple(key for key in before if key not in after)
    return Difference(added, removed, changed, len(after) - len(added) - len(changed))


def schema_change(old: Table, new: Table) -> dict[str, Any]:
    """Columns added, removed and altered. `breaking`: a program written for the old shape may fail on the new one."""
    before = {field["name"]: field for field in old.fields}
    after = {field["name"]: field for field in new.fields}
    altered = {
        name: {what: [before[name].get(what), after[name].get(what)]}
        for name in after
        for what in ("type", "unit")
        if name in before and before[name].get(what) != after[name].get(what)
    }
    removed = [name for name in before if name not in after]
    return {
        "columns_added": [name for name in after if name not in before],
        "columns_removed": removed,
        "columns_altered": altered,
        "key_before": list(old.key),
        "key_after": list(new.key),
        "breaking": bool(removed or altered or old.key != new.key),
    }


def broken_columns(change: Mapping[str, Any]) -> set[str]:
    """The columns whose users must be told ahead."""
    if change["key_before"] == change["key_after"]:
        return {*change["columns_removed"], *change["columns_altered"]}
    return {*change["columns_removed"], *change["columns_altered"], *change["key_before"]}


def document(dataset: Dataset, version: str, previous: str | None, old: Table | None, new: Table, reason: Text) -> Any:
    """`diff.json` of a version. Without a previous one every row is new, and none is listed."""
    head = {"dataset": dataset.slug, "version": version, "previous": previous, "reason": bilingual(reason)}
    if old is None:
        return head | {"rows": {"added": len(new.rows), "removed": 0, "changed": 0, "unchanged": 0}, "schema": None}
    found = compare(old, new)
    counts = {
        "added": len(found.added),
        "removed": len(found.removed),
        "changed": len(found.changed),
        "unchanged": found.unchanged,
    }
    return head | {
        "rows": counts,
        "schema": schema_change(old, new),
        "key": list(new.key),
        "listed_at_most": LISTED,
        "added": [list(key) for key in _first(found.added)],
        "changed": [{"key": list(key), "columns": list(found.changed[key])} for key in _first(found.changed)],
    }


def rows(old: Table, new: Table) -> dict[str, Any]:
    """Every row that differs, with both its values; for who has both versions."""
    found, before, after = compare(old, new), old.by_key(), new.by_key()
    changed = [
        {
            "key": list(key),
            "before": {name: before[key][old.names.index(name)] for name in names},
            "after": {name: after[key][new.names.index(name)] for name in names},
        }
        for key, names in found.changed.items()
    ]
    return {
        "schema": schema_change(old, new),
        "added": [dict(zip(new.names, after[key], strict=True)) for key in found.added],
        "removed": [dict(zip(old.names, before[key], strict=True)) for key in found.removed],
        "changed": changed,
        "unchanged": found.unchanged,
    }


def _first(keys: Iterable[Row]) -> list[Row]:
    return [key for key, _ in zip(keys, range(LISTED), strict=False)]
