"""Which services are asked for: popular ones far more often, and in the printed period only as many as were printed."""

import numpy as np

from simulator import columns as c
from simulator.columns import Bools, Floats, Ints
from simulator.units import read
from simulator.world.procedures import Catalogue

WINDOW = (c.day_number("2024-01-01"), c.day_number("2024-03-14"))
WINDOW_SERVICES, WINDOW_SERVICES_ONLINE = 386, 375
"""Services with dossiers in the window, and those with any filed online; fewer when the dossiers do not suffice."""


def popularity_of(rng: np.random.Generator, listed: Catalogue) -> Floats:
    """How often each procedure is asked for, in no unit (Zipf)."""
    field = np.array([float(r["trong_so"]) for r in read("fields.csv")])
    out: Floats = field[listed.field] / (1 + rng.permutation(len(listed.code))) ** 0.9
    return out


def served(
    rng: np.random.Generator, listed: Catalogue, popularity: Floats, online: int, window: Bools, procedure: Ints
) -> tuple[Bools, Bools]:
    """Moves the dossiers of the window, so many of them online, to the few services that had any then, each at least once.

    Returns which dossiers are for certain (filed online, filed otherwise): one of each service.
    """
    rows = rng.permutation(np.flatnonzero(window))
    used, unused = (
        min(WINDOW_SERVICES_ONLINE, online),
        min(WINDOW_SERVICES - WINDOW_SERVICES_ONLINE, len(rows) - online),
    )
    offered = np.flatnonzero(listed.in_force(WINDOW[0]) & (listed.end >= WINDOW[1]) & (listed.service < 2))
    services = offered[np.argsort(-popularity[offered], kind="stable")][: used + unused]
    procedure[rows] = services[c.weighted(rng, popularity[services[:used]], len(rows))]
    procedure[rows[: used + unused]] = services
    certain = np.zeros((2, len(procedure)), dtype=bool)
    certain[0, rows[:used]] = certain[1, rows[used : used + unused]] = True
    return certain[0], certain[1]
