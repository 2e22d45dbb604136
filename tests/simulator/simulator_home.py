"""A built home of the simulator and readers for what it delivers."""

import csv
from dataclasses import dataclass
from pathlib import Path

import orjson

from simulator.build import Settings, stem
from simulator.columns import day_number
from simulator.delivery import Table, chunks
from simulator.store import Store
from simulator.wire import HTTP_LAYOUTS

AS_OF, SEED, SCALE = "2025-09-30", 80, 0.01
Row = dict[str, str | None]


@dataclass(frozen=True)
class Built:
    """A built home folder with readers for its records, files and defects."""

    home: Path
    settings: Settings

    def records(self, table: str) -> list[dict[str, object]]:
        """Parsed JSON records of one HTTP table."""
        layout = next(item for item in HTTP_LAYOUTS if item.table == table)
        store = Store(stem(self.settings.cache, layout), False)
        parsed: list[dict[str, object]] = orjson.loads(b"[" + store.records(0, len(store.updated)) + b"]")
        return parsed

    def defects(self) -> list[dict[str, str]]:
        """Rows of injected_defects.csv."""
        with (self.home / "injected_defects.csv").open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))


def delivered(table: Table, as_of: str = AS_OF) -> list[Row]:
    """All rows of a world table as delivered on a day, by list name."""
    rows: list[Row] = []
    for columns, _, _ in chunks(table, day_number(as_of)):
        names = list(columns)
        rows += [
            dict(zip(names, values, strict=True))
            for values in zip(*(columns[n].to_pylist() for n in names), strict=True)
        ]
    return rows
