"""What a set of sums tells of its parts: the least and the greatest value that each unknown can have (linear programming).

HiGHS through SciPy, which Great Expectations brings along. Unknowns that no chain of sums connects are worked out apart,
so a province takes seconds.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

LARGE = 1e7
"""Stands for "no bound": more people, or hectares, than a province has."""
CLOSE = 1e-6
Floats = NDArray[np.float64]
Enough = Callable[[int, float, float], bool]


@dataclass
class Problem:
    """Unknowns with what is known of each, and sums: of each, coefficient × unknown adds up to nought."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    sums: list[dict[int, float]] = field(default_factory=list)

    def unknown(self, low: float = 0.0, high: float = math.inf) -> int:
        self.low.append(low)
        self.high.append(min(high, LARGE))
        return len(self.low) - 1

    def equal(self, left: Sequence[int], right: Sequence[int]) -> None:
        """The sum of `left` is that of `right`."""
        row: dict[int, float] = {}
        for side, sign in ((left, 1.0), (right, -1.0)):
            for unknown in side:
                row[unknown] = row.get(unknown, 0.0) + sign
        self.sums.append(row)

    def blocks(self) -> Iterator[tuple[list[int], list[dict[int, float]]]]:
        """Unknowns that sums connect, with these sums; those that stand in none are left out."""
        parent = list(range(len(self.low)))

        def root(i: int) -> int:
            while parent[i] != i:
                parent[i] = i = parent[parent[i]]
            return i

        for row in self.sums:
            first, *others = map(root, row)
            for other in others:
                parent[root(other)] = root(first)
        members: dict[int, set[int]] = {}
        sums: dict[int, list[dict[int, float]]] = {}
        for row in self.sums:
            key = root(next(iter(row)))
            members.setdefault(key, set()).update(row)
            sums.setdefault(key, []).append(row)
        for key, found in members.items():
            yield sorted(found), sums[key]


def tighten(
    problem: Problem, wanted: Sequence[int], enough: Enough
) -> tuple[dict[int, tuple[float, float]], list[list[int]]]:
    """(bounds of the wanted unknowns that stand in a sum, blocks whose sums contradict each other).

    enough: whether an unknown that can have these two values is safe. What is seen to be safe is not worked out to the
    end: its bounds are then two values that it can have.
    """
    found: dict[int, tuple[float, float]] = {}
    broken = []
    secret = set(wanted)
    for members, sums in problem.blocks():
        hidden = [i for i in members if i in secret]
        if not hidden:
            continue
        solved = (
            _one_sum(problem, sums[0], hidden) if len(sums) == 1 else _many_sums(problem, members, sums, hidden, enough)
        )
        if solved is None:
            broken.append(members)
        else:
            found |= solved
    return found, broken


def _one_sum(problem: Problem, row: dict[int, float], hidden: Sequence[int]) -> dict[int, tuple[float, float]] | None:
    """In a single sum an unknown is what the others leave: no programme is needed."""
    ends = {i: sorted((c * problem.low[i], c * problem.high[i])) for i, c in row.items()}
    least, most = (sum(end[side] for end in ends.values()) for side in (0, 1))
    if least > CLOSE or most < -CLOSE:
        return None
    solved = {}
    for i in hidden:
        others = sorted(((least - ends[i][0]) / -row[i], (most - ends[i][1]) / -row[i]))
        solved[i] = max(problem.low[i], others[0]), min(problem.high[i], others[1])
    return solved


def _many_sums(
    problem: Problem, members: Sequence[int], sums: Sequence[dict[int, float]], hidden: Sequence[int], enough: Enough
) -> dict[int, tuple[float, float]] | None:
    block = _Block(problem, members, sums)
    return {i: block.bounds(i, enough) for i in hidden} if block.look(hidden, enough) else None


class _Block:
    """A connected part of a problem, and the span of each unknown over the solutions seen so far."""

    def __init__(self, problem: Problem, members: Sequence[int], sums: Sequence[dict[int, float]]) -> None:
        self.place = {unknown: i for i, unknown in enumerate(members)}
        entries = [(r, self.place[i], c) for r, row in enumerate(sums) for i, c in row.items()]
        rows, columns, values = zip(*entries, strict=True)
        self.sums = csr_matrix((values, (rows, columns)), shape=(len(sums), len(members)))
        self.box = np.array([(problem.low[i], problem.high[i]) for i in members])
        self.least = np.full(len(members), math.inf)
        self.most = np.full(len(members), -math.inf)

    def look(self, hidden: Sequence[int], enough: Enough) -> bool:
        """See where those that are not seen to be safe are all small, all large, and again, while that shows more of them
        to be safe. False when the sums have no solution."""
        open_, before = list(hidden), len(hidden) + 1
        while open_ and len(open_) < before:
            before = len(open_)
            direction = np.zeros(len(self.place))
            direction[[self.place[i] for i in open_]] = 1.0
            if not (self._solve(direction) and self._solve(-direction)):
                return False
            spans = ((i, self.least[self.place[i]], self.most[self.place[i]]) for i in open_)
            open_ = [i for i, least, most in spans if not enough(i, least, most)]
        return True

    def bounds(self, unknown: int, enough: Enough) -> tuple[float, float]:
        i = self.place[unknown]
        if not enough(unknown, self.least[i], self.most[i]):
            for sign in (1.0, -1.0):
                direction = np.zeros(len(self.place))
                direction[i] = sign
                self._solve(direction)
        return float(self.least[i]), float(self.most[i])

    def _solve(self, direction: Floats) -> bool:
        done = linprog(direction, A_eq=self.sums, b_eq=np.zeros(self.sums.shape[0]), bounds=self.box, method="highs")
        if done.status != 0:
            return False
        self.least = np.minimum(self.least, done.x)
        self.most = np.maximum(self.most, done.x)
        return True
