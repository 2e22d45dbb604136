"""The span of the generated world and its working days."""

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np

from simulator.columns import Bools, Ints, day_number

DATA = Path(__file__).resolve().parent / "data"
START = day_number("2023-07-01")
HORIZON = day_number("2026-12-31")
SPLIT_2024 = day_number("2024-12-01")
REFORM = day_number("2025-07-01")
MERGER = day_number("2025-03-01")
_CAL_FIRST = day_number("2023-01-01")
_CAL_LAST = day_number("2027-12-31")


@lru_cache(maxsize=1)
def working_mask() -> Bools:
    """True per day from 2023-01-01 where offices work: Mon-Fri without holidays, plus make-up Saturdays."""
    days = np.arange(_CAL_FIRST, _CAL_LAST + 1)
    open_days = (days + 3) % 7 < 5  # day 0, 1970-01-01, was a Thursday
    with (DATA / "holidays.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            open_days[day_number(row["ngay"]) - _CAL_FIRST] = row["loai"] == "lam_bu"
    return open_days


def working_days(first: int, last: int) -> Ints:
    """Day numbers of the working days in [first, last]."""
    days = np.arange(first, last + 1)
    return days[working_mask()[days - _CAL_FIRST]].astype(np.int64)


@lru_cache(maxsize=1)
def _tables() -> tuple[Ints, Ints]:
    mask = working_mask()
    ordinal = np.cumsum(mask).astype(np.int64)
    return ordinal, np.flatnonzero(mask).astype(np.int64)


def add_working_days(days: Ints, count: Ints) -> Ints:
    """The day that lies `count` working days after each day."""
    ordinal, position = _tables()
    out: Ints = position[ordinal[days - _CAL_FIRST] - 1 + count] + _CAL_FIRST
    return out


def month_start(day: int) -> int:
    """Day number of the first of the month."""
    return int(np.datetime64(day, "D").astype("datetime64[M]").astype("datetime64[D]").astype(int))
