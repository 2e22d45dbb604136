"""The noise of the cell-key method: what the reviewed seed `perturbation` can add to a count, and how often."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from khochung.contract import DBT_PROJECT
from khochung.errors import ConfigurationError

KEYS = 2**28
"""Cell keys are 0 to KEYS - 1, all alike likely (macros/disclosure.sql)."""


@dataclass(frozen=True)
class Noise:
    """shares: noise -> how often it comes, summing to 1."""

    shares: dict[int, float]

    @property
    def largest(self) -> int:
        return max(map(abs, self.shares))

    @property
    def variance(self) -> float:
        return sum(share * noise**2 for noise, share in self.shares.items())

    @property
    def mean_size(self) -> float:
        """The mean of the noise without its sign."""
        return sum(share * abs(noise) for noise, share in self.shares.items())


@cache
def table(path: Path = DBT_PROJECT / "seeds" / "perturbation.csv") -> Noise:
    """The noise as the seed has it. Raises ConfigurationError where its ranges leave a key out or take one twice."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(stream)]
    rows.sort(key=lambda row: row["first_key"])
    expected = 0
    for row in rows:
        if row["first_key"] != expected or row["last_key"] < expected:
            raise ConfigurationError(f"{path.name}: the range of noise {row['noise']} must begin at key {expected}")
        expected = row["last_key"] + 1
    if expected != KEYS:
        raise ConfigurationError(f"{path.name}: the ranges end at key {expected - 1}, the keys at {KEYS - 1}")
    return Noise({row["noise"]: (row["last_key"] - row["first_key"] + 1) / KEYS for row in rows})
