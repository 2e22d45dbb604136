"""Published cells as an attacker sees them: what a number, or the lack of one, tells of the true value behind it."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from khochung.contract import Dataset, Linked
from khochung.disclosure import noise
from khochung.errors import GateError

PLACE = "commune_code"
"""The column of the commune in every dataset by communes."""
Coordinates = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rules:
    """What anybody may know of how a dataset is protected; it stands in disclosure.json of every version.

    method: that of the policy, or `suppression`: exact counts, those below the threshold withheld. noise: the largest
    that a count can carry. keys: the columns of a cell's coordinates, with those that linked datasets add up by.
    """

    slug: str
    method: str
    unit: str
    threshold: int
    noise: int
    zeros: str
    vintage: str | None
    keys: tuple[str, ...]
    measures: tuple[str, ...]
    parts: Mapping[str, str]
    linked: tuple[Linked, ...]

    @property
    def protects(self) -> bool:
        return self.method != "none"

    @property
    def is_counted(self) -> bool:
        """True for counts: whole numbers, of which those below the threshold are the secret."""
        return self.method != "dominance"

    def record(self) -> dict[str, Any]:
        return asdict(self) | {"linked": [link.model_dump() for link in self.linked]}

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> "Rules":
        """The rules as `record` wrote them. Raises GateError naming what is missing."""
        try:
            lists = {name: tuple(record[name]) for name in ("keys", "measures")}
            linked = tuple(Linked.model_validate(link) for link in record["linked"])
            return cls(**{**record, **lists, "linked": linked})
        except (KeyError, TypeError) as error:
            raise GateError(f"the rules of protection are not readable: {error}") from error

    def tells(self, value: float | None) -> tuple[float, float]:
        """The least and the greatest true value behind a published one, or behind none."""
        if self.method == "cell_key":
            return self._behind_noise(value)
        if value is not None:
            return value, value
        return 0.0, (self.threshold - 1.0 if self.method == "suppression" else math.inf)

    def _behind_noise(self, value: float | None) -> tuple[float, float]:
        if value is None:
            return (0.0 if self.zeros == "withheld" else 1.0), self.threshold - 1.0 + self.noise
        if value == 0:
            return 0.0, 0.0
        least = self.threshold if value >= self.threshold else 1
        return max(float(least), value - self.noise), value + self.noise


@dataclass(frozen=True)
class Cell:
    """One measure at one place in a table. value: None where it is withheld."""

    measure: str
    at: Coordinates
    value: float | None


def rules_of(dataset: Dataset, all_datasets: Mapping[str, Dataset]) -> Rules:
    """The rules of a declared dataset. `all_datasets`: those that may be linked to it."""
    policy = dataset.disclosure
    back = [link for other in all_datasets.values() for link in other.disclosure.linked if link.dataset == dataset.slug]
    by = {column for link in (*policy.linked, *back) for column in link.by}
    names = [column.name for column in dataset.columns]
    return Rules(
        dataset.slug, policy.method, policy.unit, policy.threshold,
        noise.table().largest if policy.method == "cell_key" else 0, policy.zeros,
        policy.vintage.isoformat() if isinstance(policy.vintage, date) else None,
        tuple(name for name in names if name in dataset.key or name in by),
        tuple(c.name for c in dataset.columns if c.role == "measure" and c.name not in policy.rates),
        dict(policy.parts), policy.linked,
    )  # fmt: skip


def cells_of(rules: Rules, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Cell]:
    """The cells of a table, of values or of texts; of a dataset that protects nothing, none."""
    if not rules.protects:
        return
    place = {name: i for i, name in enumerate(names)}
    for row in rows:
        at = tuple((name, str(row[place[name]])) for name in rules.keys)  # of a date: ISO 8601
        for measure in rules.measures:
            value = row[place[measure]]
            yield Cell(measure, at, None if value is None else float(value))
