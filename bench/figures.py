"""One measurement beside its floor, and work done in a process of its own so that its peak of memory is its own."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from khochung import warehouse
from khochung.settings import REPOSITORY, Settings


@dataclass(frozen=True)
class Figure:
    """One measurement beside its floor. ratio = value / floor.

    `target`: the least ratio that satisfies, or the greatest one where `at_most`.
    """

    name: str
    unit: str
    value: float
    floor: float
    floor_name: str
    ratio: float
    target: float
    met: bool


def figure(
    name: str, unit: str, value: float, floor: float, floor_name: str, target: float, at_most: bool = False
) -> Figure:
    """A figure whose ratio is worked out here."""
    ratio = value / floor
    met = ratio <= target if at_most else ratio >= target
    return Figure(name, unit, round(value, 2), round(floor, 2), floor_name, round(ratio, 3), target, met)


def median_pair(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """Of (value, floor) measured in turn, the pair whose ratio is the median: others share the machine with us."""
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]


def fresh_warehouse(settings: Settings) -> None:
    """An empty warehouse and empty landing."""
    shutil.rmtree(settings.landing, ignore_errors=True)
    with warehouse.connect(settings) as connection:
        connection.execute("drop schema if exists raw, ops cascade")
    warehouse.bootstrap(settings)


@dataclass(frozen=True)
class Outcome:
    """What one process did. seconds: wall time of the work without the start of the process; peak_mb: 10^6 bytes."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    rows: int

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


def in_child(work: Callable[..., int], *arguments: str) -> Outcome:
    """Run a function of a bench module in a fresh interpreter; it returns the rows that it moved."""
    command = [sys.executable, "-m", "bench.figures", work.__module__, work.__name__, *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return Outcome(**found)


def _child(module: str, name: str, *arguments: str) -> None:
    work = getattr(import_module(module), name)
    began = time.perf_counter()
    rows = work(*arguments)
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak_mb = used.ru_maxrss * 1024 / 1e6
    print(json.dumps(Outcome(seconds, used.ru_utime + used.ru_stime, peak_mb, rows).__dict__))


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    _child(*sys.argv[1:])
