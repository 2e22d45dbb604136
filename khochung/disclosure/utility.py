"""What protection costs whoever uses a dataset: the share of its cells that are withheld, over all and where it is worst."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from khochung.contract import Dataset
from khochung.disclosure.cells import Cell

MOST = 0.1
"""No more than this share of the cells should be withheld, by place and year, of a whole province."""


@dataclass(frozen=True)
class Utility:
    """cells, withheld: of the candidate; by_year: the same of each year, where a key is a date; by_place: of each place."""

    cells: int
    withheld: int
    by_year: dict[str, tuple[int, int]]
    by_place: dict[str, tuple[int, int]]

    def record(self) -> dict[str, Any]:
        """For `disclosure.json`. Places are counted: a list of them would say no more than the data do."""
        above = sum(withheld > MOST * cells for cells, withheld in self.by_place.values())
        places = (
            {"places": len(self.by_place), "places_with_more_than_a_tenth_withheld": above} if self.by_place else {}
        )
        years = {year: round(withheld / cells, 4) for year, (cells, withheld) in sorted(self.by_year.items())}
        return (
            {
                "cells": self.cells,
                "withheld": self.withheld,
                "withheld_share": round(self.withheld / max(self.cells, 1), 4),
            }
            | ({"withheld_share_by_year": years} if years else {})
            | places
        )


def utility(dataset: Dataset, cells: Iterable[Cell]) -> Utility:
    """Count the cells of a table, by the year of its first date and by its commune or agency."""
    found = list(cells)
    keys = [column for column in dataset.columns if column.role == "key"]
    dates = [column.name for column in keys if column.data_type == "date"]
    places = [column.name for column in keys if column.name in ("commune_code", "agency_code")]
    return Utility(
        len(found),
        sum(cell.value is None for cell in found),
        _counted(found, dates[0], 4) if dates else {},
        _counted(found, places[0]) if places else {},
    )


def _counted(cells: list[Cell], column: str, length: int | None = None) -> dict[str, tuple[int, int]]:
    """Value of a key, or its first letters -> cells and those withheld."""
    every: Counter[str] = Counter()
    withheld: Counter[str] = Counter()
    for cell in cells:
        value = dict(cell.at)[column][:length]
        every[value] += 1
        withheld[value] += cell.value is None
    return {value: (count, withheld[value]) for value, count in every.items()}
