"""A published table as the pages read it: from the CSV of the tree, hence nothing that is not public."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from khochung.contract import Dataset, DatasetColumn
from khochung.portal.vietnamese import sort_key

Row = tuple[str | None, ...]
FLAG = "_suppressed"
# Shares, coordinates and prices have no sum.
NOT_ADDITIVE = {"%", "độ", "VND"}
# Above this share of withheld cells a sum of the others says more about what is withheld than about anything else.
WITHHELD_AT_MOST = 0.1


@dataclass(frozen=True)
class Total:
    """A sum over published cells. `withheld`: how many of `cells` are empty for disclosure control and not in it."""

    value: Decimal
    withheld: int
    cells: int

    @property
    def mostly_withheld(self) -> bool:
        """Whether the sum should not be shown as if it were one."""
        return self.withheld > WITHHELD_AT_MOST * self.cells


@dataclass(frozen=True)
class Table:
    """Rows in the order of the file; columns as declared."""

    dataset: Dataset
    rows: tuple[Row, ...]

    @cached_property
    def place(self) -> dict[str, int]:
        return {column.name: i for i, column in enumerate(self.dataset.columns)}

    @cached_property
    def periods(self) -> tuple[str, ...]:
        """The values of the column that stands for time, oldest first; empty when there is none."""
        column = time_column(self.dataset)
        return tuple(self.values(column.name)) if column else ()

    def values(self, name: str) -> list[str]:
        """The distinct values of a column, ascending."""
        place = self.place[name]
        return sorted({value for row in self.rows if (value := row[place]) is not None})

    def where(self, name: str, value: str) -> "Table":
        place = self.place[name]
        return Table(self.dataset, tuple(row for row in self.rows if row[place] == value))

    def latest(self) -> "Table":
        """The rows of the newest period; all rows when the table has no time."""
        column = time_column(self.dataset)
        return self.where(column.name, self.periods[-1]) if column and self.periods else self

    def total(self, measure: DatasetColumn) -> Total:
        place, flag = self.place[measure.name], self.place.get(measure.name + FLAG)
        value = sum((Decimal(cell) for row in self.rows if (cell := row[place]) is not None), Decimal(0))
        withheld = sum(row[flag] == "true" for row in self.rows) if flag is not None else 0
        return Total(value, withheld, len(self.rows))

    def grouped(self, name: str) -> Iterator[tuple[str, "Table"]]:
        """The rows of each value of a column, ascending."""
        place = self.place[name]
        groups: dict[str, list[Row]] = {}
        for row in self.rows:
            if (value := row[place]) is not None:
                groups.setdefault(value, []).append(row)
        for value in sorted(groups):
            yield value, Table(self.dataset, tuple(groups[value]))

    def label(self, column: DatasetColumn, value: str) -> str | None:
        """The name that a text column beside `column` gives to a code: `commune_name` for `commune_code`."""
        named = self.place.get(name_column(column.name)) or self.place.get(f"{column.name}_name")
        if named is None:
            return None
        place = self.place[column.name]
        return next((row[named] for row in self.rows if row[place] == value), None)


def name_column(code_column: str) -> str:
    return code_column.removesuffix("_code") + "_name"


def read(tree: Path, dataset: Dataset, version: str) -> Table | None:
    """The table of one version from its CSV; None when an earlier declaration gave it other columns."""
    path = tree / "data" / dataset.slug / "v" / version / f"{dataset.slug}.csv"
    reader = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))
    names = next(reader)
    if not {column.name for column in dataset.columns} <= set(names):
        return None
    order = [names.index(column.name) for column in dataset.columns]
    return Table(dataset, tuple(tuple(row[i] or None for i in order) for row in reader))


def column(dataset: Dataset, name: str) -> DatasetColumn:
    return next(column for column in dataset.columns if column.name == name)


def time_column(dataset: Dataset) -> DatasetColumn | None:
    """The month or day that rows are about; the validity dates of a register are not."""
    return next(
        (c for c in dataset.columns if c.data_type == "date" and c.name.startswith(("month", "day", "reported"))), None
    )


def measures(dataset: Dataset) -> list[DatasetColumn]:
    """What may be added up: measures with a unit, but no shares, coordinates or prices."""
    return [c for c in dataset.columns if c.role == "measure" and c.unit and c.unit not in NOT_ADDITIVE]


def flags(dataset: Dataset) -> set[str]:
    """The columns that only say that the measure beside them is withheld."""
    names = {column.name for column in dataset.columns}
    return {name for name in names if name.endswith(FLAG) and name.removesuffix(FLAG) in names}


def in_order(values: Iterable[str]) -> list[str]:
    return sorted(values, key=sort_key)
