"""Which further cells to withhold, so that a table's sums do not give away those that must be: as few as possible.

The cell suppression problem of a table by rows and columns whose sums are known, by the cuts of Fischetti and Salazar
(Management Science 47, 2001): a mixed-integer programme chooses the cells; for each secret a small linear programme tries
how far its value can move while all sums stay; where that is not far enough, its dual prices say which cells are too few,
for every table alike, and the choice is made again. Of small tables that gives the optimum. In large ones the last of
many choices alike take most of the time, so after some rounds what is chosen stays chosen, and what turns out not to be
needed is let go at the end: a few cells above the optimum.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix, vstack

CellKey = tuple[str, str]
Floats = NDArray[np.float64]
KNOWN_COST = 1000.0
"""What it costs to withhold a cell whose value is out already: that hides nothing from whoever kept it."""
EXACT_ROUNDS = 12
ROUNDS = 60
GAP = 0.01  # of a choice, where more than a hundred cells are chosen
NODES = 500  # of a choice: it ends alike on every machine, which a time limit would not
CLOSE = 1e-7


@dataclass(frozen=True)
class Secret:
    """A cell that must not be told nearer than `needs` above and below its value."""

    cell: CellKey
    needs: float


def cover(
    values: Mapping[CellKey, float],
    secrets: Sequence[Secret],
    hidden: Iterable[CellKey] = (),
    known: Iterable[CellKey] = (),
) -> set[CellKey]:
    """The cells to withhold, the secrets among them. values: (row, column) -> value, all of them at least nought.

    hidden: what is withheld anyway. known: what was published with this very value. Where even the whole table hides a
    secret less than it needs, it is hidden as far as that goes.
    """
    table = _Table(values, known)
    chosen = {table.place[cell] for cell in (*hidden, *(secret.cell for secret in secrets)) if cell in table.place}
    first = frozenset(chosen)
    table.forced[list(first)] = 1.0
    wanted = {(table.place[s.cell], sign): s.needs for s in secrets for sign in (1.0, -1.0)}
    for number in range(ROUNDS):
        cuts = table.too_near(chosen, wanted)
        if not cuts:
            if number > EXACT_ROUNDS:
                chosen = table.thinned(chosen, first, wanted)
            return {table.cells[i] for i in chosen}
        table.cuts += cuts
        if number >= EXACT_ROUNDS:
            table.forced[list(chosen)] = 1.0
        chosen = table.choose()
    rows = {table.rows[i] for i, _ in wanted}
    return {cell for i, cell in enumerate(table.cells) if i in chosen or table.rows[i] in rows}


class _Table:
    def __init__(self, values: Mapping[CellKey, float], known: Iterable[CellKey]) -> None:
        self.cells = sorted(values)
        self.place = {cell: i for i, cell in enumerate(self.cells)}
        self.values = np.array([values[cell] for cell in self.cells])
        names = [sorted({cell[side] for cell in self.cells}) for side in (0, 1)]
        self.rows = np.array([names[0].index(cell[0]) for cell in self.cells])
        columns = np.array([len(names[0]) + names[1].index(cell[1]) for cell in self.cells])
        size = len(self.cells)
        places = (np.concatenate([self.rows, columns]), np.tile(np.arange(size), 2))
        self.sums = csr_matrix((np.ones(2 * size), places), shape=(len(names[0]) + len(names[1]), size))
        self.most = float(self.values.sum())
        # As few cells as can be; of two choices alike in that the one with less in it.
        self.cost = 1.0 + self.values / max(self.most, CLOSE)
        self.cost[[self.place[cell] for cell in known if cell in self.place]] = KNOWN_COST
        self.forced = np.zeros(size)
        self.cuts: list[tuple[Floats, float]] = []

    def too_near(self, chosen: set[int], wanted: dict[tuple[int, float], float]) -> list[tuple[Floats, float]]:
        """A cut for each secret that the chosen cells hide too little; `wanted` is lowered to what is possible."""
        free = np.array(sorted(chosen))
        moved_up, moved_down = np.zeros(len(self.cells)), np.zeros(len(self.cells))
        cuts = []
        for (secret, sign), needs in wanted.items():
            seen = moved_up if sign > 0 else moved_down
            if seen[secret] >= needs - CLOSE:
                continue
            moves, prices = self._farthest(free, secret, sign)
            moved_up[free] = np.maximum(moved_up[free], moves)
            moved_down[free] = np.maximum(moved_down[free], -moves)
            if seen[secret] >= needs - CLOSE:
                continue
            room = self._room(prices, secret, sign)
            if room.sum() < needs - CLOSE:
                wanted[secret, sign] = needs = float(room.sum()) * (1 - 1e-6)
                if seen[secret] >= needs - CLOSE:
                    continue
            cuts.append((np.minimum(room, needs), needs))
        return cuts

    def _farthest(self, free: NDArray[np.int64], secret: int, sign: float) -> tuple[Floats, Floats]:
        """How the free cells move when one of them moves as far as the sums allow, and the prices of the sums."""
        goal = np.where(free == secret, -sign, 0.0)
        box = np.column_stack([-self.values[free], np.full(len(free), self.most)])
        sums = self.sums[:, free]
        done = linprog(goal, A_eq=sums, b_eq=np.zeros(sums.shape[0]), bounds=box, method="highs")
        return done.x, -done.eqlin.marginals

    def _room(self, prices: Floats, secret: int, sign: float) -> Floats:
        """By cell, how much it lets the secret move when it is withheld, at these prices: an upper bound, for any choice."""
        reduced = -(self.sums.T @ prices)
        reduced[secret] += sign
        reduced[np.abs(reduced) < CLOSE] = 0.0
        room: Floats = np.maximum(reduced, 0) * self.most + np.maximum(-reduced, 0) * self.values
        return room

    def thinned(self, chosen: set[int], first: frozenset[int], wanted: dict[tuple[int, float], float]) -> set[int]:
        """The choice without what turns out not to be needed, the dearest cells tried first."""
        for cell in sorted(chosen - first, key=lambda i: (-self.cost[i], i)):
            without = chosen - {cell}
            if not self.too_near(without, dict(wanted)):
                chosen = without
        return chosen

    def choose(self) -> set[int]:
        """The cheapest cells that satisfy every cut so far."""
        left = vstack([csr_matrix(row) for row, _ in self.cuts])
        limits = LinearConstraint(left, lb=np.array([needs - CLOSE for _, needs in self.cuts]))
        found = milp(
            self.cost, integrality=np.ones(len(self.cells)), bounds=Bounds(self.forced, 1.0), constraints=limits,
            options={"node_limit": NODES, "mip_rel_gap": GAP},
        )  # fmt: skip
        if found.x is None:
            return set(range(len(self.cells)))
        return {int(i) for i in np.flatnonzero(found.x > 0.5)}
