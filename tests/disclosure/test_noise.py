"""The noise of the cell-key method: a reviewed table, and what it is made from."""

import math
from pathlib import Path

import pytest

from khochung import contract
from khochung.disclosure import noise
from khochung.errors import ConfigurationError


def largest_entropy(size: int, variance: float) -> dict[int, float]:
    """Shares proportional to exp(-x noise²), with x found by halving."""
    low, high = 0.0, 5.0
    for _ in range(200):
        x = (low + high) / 2
        weights = {n: math.exp(-x * n * n) for n in range(-size, size + 1)}
        shares = {n: weight / sum(weights.values()) for n, weight in weights.items()}
        spread = sum(share * n * n for n, share in shares.items())
        low, high = (x, high) if spread > variance else (low, x)
    return shares


def test_the_table_is_what_its_description_says() -> None:
    table = noise.table()
    assert table.shares == pytest.approx(largest_entropy(3, 2.0), abs=1e-7)
    assert sum(n * share for n, share in table.shares.items()) == pytest.approx(0, abs=1e-7)
    assert (table.largest, round(table.variance, 4)) == (3, 2.0)


def test_a_difference_is_never_surely_small() -> None:
    """Two noisy counts tell their difference within 2 × 2 × the largest noise: that must reach over the threshold."""
    for dataset in contract.datasets().values():
        if dataset.disclosure.method == "cell_key":
            assert 4 * noise.table().largest + 1 >= dataset.disclosure.threshold, dataset.slug


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("0,0,100\n1,102,268435455\n", "must begin at key 101"),
        ("0,0,100\n", "end at key 100"),
        ("0,0,200\n1,150,268435455\n", "must begin at key 201"),
    ],
)
def test_a_table_with_a_gap_is_refused(tmp_path: Path, rows: str, problem: str) -> None:
    path = tmp_path / "perturbation.csv"
    path.write_text("noise,first_key,last_key\n" + rows, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=problem):
        noise.table(path)
