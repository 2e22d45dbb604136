"""A table of records that never change once they are there: most lists that offices send."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator import columns as c
from simulator.columns import Column, Ints
from simulator.layouts import Layout

OFFICE_HOUR = 36_000
"""Second of the day at which everything is written down."""


@dataclass
class Listing:
    """created: day on which each record appears; columns: (rows, day of the delivery) -> the fields of the layout."""

    layout: Layout
    created: Ints
    plan: NDArray[np.int16]
    columns: Callable[[Ints, int], dict[str, Column]]

    def updated(self, rows: Ints, as_of: int) -> Ints:
        """Local second at which each record was written down."""
        return c.at(self.created[rows], np.full(len(rows), OFFICE_HOUR))

    def render(self, rows: Ints, updated: Ints, as_of: int) -> dict[str, Column]:
        """Contract columns of the rows as on the day."""
        return self.columns(rows, as_of)
