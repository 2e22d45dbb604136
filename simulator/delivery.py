"""From a world table to what a source delivers on a day: rows in delivery order, spoiled as planned."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator import defects
from simulator.columns import Column, Ints
from simulator.layouts import Layout

CHUNK = 100_000
CONFLICT_LEAD = 1_800
"""Seconds by which the older of two conflicting deliveries of one key precedes the record."""


class Table(Protocol):
    """A table of the world: which rows exist, when they last changed, and their columns on a day."""

    layout: Layout
    created: Ints
    plan: NDArray[np.int16]

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second of the last happening of each row up to the day."""

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Columns of the rows by list name."""


Chunk = tuple[dict[str, Column], Ints, defects.Found]


def chunks(table: Table, as_of: int) -> Iterator[Chunk]:
    """(columns, update seconds, defects) in the order of update, then of the record."""
    rows = np.flatnonzero(table.created <= as_of)
    updated = np.concatenate([table.updated(part, as_of) for part in _parts(rows)] or [rows])
    rows, updated, variant = _with_copies(table, rows, updated)
    order = np.lexsort((variant, rows, updated))
    for part in _parts(order):
        at, seconds = rows[part], updated[part]
        rendered = table.render(at, seconds, as_of)
        columns, found = defects.apply(table.layout, rendered, table.plan[at], variant[part], at)
        yield columns, seconds, found


def _parts(rows: Ints) -> list[Ints]:
    return [rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK)]


def _with_copies(table: Table, rows: Ints, updated: Ints) -> tuple[Ints, Ints, NDArray[np.int8]]:
    """Adds the older delivery of conflicting keys (variant 1) and the exact copies (variant 2)."""
    codes = np.array([{defects.CONFLICT: 1, defects.EXACT: 2}.get(s.code, 0) for s in defects.SPECS] + [0])
    copies = codes[table.plan[rows]]  # plan -1 reads the last, zero
    again = np.flatnonzero(copies)
    earlier = updated[again] - np.where(copies[again] == 1, CONFLICT_LEAD, 0)
    variant = np.concatenate([np.zeros(len(rows), np.int8), copies[again].astype(np.int8)])
    return np.concatenate([rows, rows[again]]), np.concatenate([updated, earlier]), variant
