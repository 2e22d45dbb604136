"""Complementary suppression: enough, and not one cell more than it takes."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from khochung import contract, warehouse
from khochung.disclosure import released, withhold
from khochung.disclosure.cells import Cell, rules_of
from khochung.disclosure.cover import Secret, cover
from tests.toy_warehouse import Toy

TABLE = {
    ("A", "rice"): 20.0, ("A", "wood"): 50.0, ("A", "home"): 10.0,
    ("B", "rice"): 8.0, ("B", "wood"): 19.0, ("B", "home"): 22.0,
    ("C", "rice"): 17.0, ("C", "wood"): 32.0, ("C", "home"): 12.0,
}  # fmt: skip
"""The example of Fischetti and Salazar's kind: rows and columns whose sums everybody knows."""


def span(
    values: dict[tuple[str, str], float], hidden: set[tuple[str, str]], cell: tuple[str, str]
) -> tuple[float, float]:
    """What the sums tell of a cell: an attacker's own linear programme, written apart from the one under test."""
    cells = sorted(values)
    sums = np.array(
        [[float(cell[side] == name) for cell in cells] for side in (0, 1) for name in {c[side] for c in cells}]
    )
    given_ = sums @ np.array([values[c] for c in cells])
    box = [(0, 1e6) if c in hidden else (values[c], values[c]) for c in cells]
    ends = []
    for sign in (1, -1):
        goal = [float(sign * (c == cell)) for c in cells]
        ends.append(sign * linprog(goal, A_eq=sums, b_eq=given_, bounds=box).fun)
    return ends[0], ends[1]


def hides(values: dict[tuple[str, str], float], hidden: set[tuple[str, str]], secret: Secret) -> bool:
    low, high = span(values, hidden, secret.cell)
    value = values[secret.cell]
    return low <= value - secret.needs + 1e-4 and high >= value + secret.needs - 1e-4


def test_one_secret_takes_three_others_with_it() -> None:
    secret = Secret(("B", "rice"), 5.0)
    hidden = cover(TABLE, [secret])
    assert len(hidden) == 4
    assert hides(TABLE, hidden, secret)


def test_the_secret_alone_would_be_told_exactly() -> None:
    assert span(TABLE, {("B", "rice")}, ("B", "rice")) == pytest.approx((8, 8))


def test_no_smaller_choice_would_do() -> None:
    secrets = [Secret(("B", "rice"), 5.0), Secret(("C", "home"), 3.0)]
    hidden = cover(TABLE, secrets)
    assert all(hides(TABLE, hidden, secret) for secret in secrets)
    own = {secret.cell for secret in secrets}
    others = sorted(set(TABLE) - own)
    for size in range(len(hidden) - len(own)):
        for more in itertools.combinations(others, size):
            assert not all(hides(TABLE, own | set(more), secret) for secret in secrets)


def test_what_is_hidden_anyway_is_used_and_what_is_known_is_not() -> None:
    secret = Secret(("B", "rice"), 5.0)
    plain = cover(TABLE, [secret])
    partner = {("B", "home"), ("A", "home"), ("A", "rice")}
    assert cover(TABLE, [secret], hidden=partner) == {secret.cell, *partner}
    avoided = plain - {secret.cell}
    again = cover(TABLE, [secret], known=avoided)
    assert hides(TABLE, again, secret)
    assert not again & avoided or len(again & avoided) < len(avoided)


def test_a_row_of_one_cell_is_hidden_as_far_as_it_goes() -> None:
    alone = {("A", "rice"): 5.0, ("B", "rice"): 7.0, ("B", "wood"): 9.0}
    assert ("A", "rice") in cover(alone, [Secret(("A", "rice"), 2.0)])


VALUES = st.lists(st.integers(0, 60), min_size=20, max_size=20)


@settings(max_examples=25, deadline=None)
@given(VALUES, st.sets(st.integers(0, 19), min_size=1, max_size=3))
def test_random_tables_are_covered(numbers: list[int], places: set[int]) -> None:
    cells = [(row, column) for row in "ABCD" for column in "vwxyz"]
    values = {cell: float(number) for cell, number in zip(cells, numbers, strict=True)}
    values |= {cells[place]: values[cells[place]] + 8 for place in places}
    secrets = [Secret(cells[place], 8.0) for place in sorted(places)]
    assume(all(hides(values, set(cells), secret) for secret in secrets))
    hidden = cover(values, secrets)
    assert all(hides(values, hidden, secret) for secret in secrets)
    assert cover(values, secrets) == hidden


# --- the choice of a build


def land(connection: Any, rows: list[tuple[str, str, float, float | None]]) -> None:
    connection.execute("drop table if exists intermediate.int_disclosure__toy_land")
    connection.execute(
        "create table intermediate.int_disclosure__toy_land (commune_code text, sex_code text, value numeric(14, 4), needs numeric)"
    )
    connection.cursor().executemany("insert into intermediate.int_disclosure__toy_land values (%s, %s, %s, %s)", rows)


def test_the_choice_of_a_build_stands_and_what_was_withheld_stays_so(toy: Toy) -> None:
    dataset = toy.datasets["dan-so-thu"]
    policy = dataset.disclosure.model_dump() | {"method": "dominance", "unit": "parcel", "threshold": 0}
    declared = {
        dataset.slug: contract.Dataset.model_validate(
            dataset.model_dump() | {"model": "toy_land", "disclosure": policy}
        )
    }
    rows = [(*cell, value, 5.0 if cell == ("B", "rice") else None) for cell, value in TABLE.items()]
    with warehouse.connect(toy.settings, "transformer") as connection:
        land(connection, rows)
    build_id = toy.build()
    assert withhold.choose(toy.settings, build_id, declared) == 4
    assert withhold.choose(toy.settings, build_id, declared) == 4
    chosen = "select first_key, second_key from ops.withheld_cell where build_id = {} order by 1, 2"
    first = toy.sql(chosen.format(build_id))
    assert len(first) == 4
    assert ("B", "rice") in first
    rules = rules_of(declared[dataset.slug], declared)
    cells = tuple(
        Cell("residents", (("commune_code", row), ("sex_code", column)), None if (row, column) in first else value)
        for (row, column), value in TABLE.items()
    )
    with warehouse.connect(toy.settings, "operator") as connection:
        released.record(connection, released.Edition(dataset.slug, "2025.9.0", "2025-09-30", rules, cells))
    # In the next build the secret is none any more; and another one must not be hidden by what is known.
    with warehouse.connect(toy.settings, "transformer") as connection:
        land(connection, [(*cell, value, None) for cell, value in TABLE.items()])
    later = toy.build()
    assert withhold.choose(toy.settings, later, declared) == 4
    assert toy.sql(chosen.format(later)) == first
