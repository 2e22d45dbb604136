"""The attack program: it finds much in a naive release, and nothing in one of ours."""

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from khochung.cli import main
from khochung.disclosure.attack import attack
from khochung.errors import GateError
from tests.disclosure import naive


@pytest.fixture
def exposed(tmp_path: Path) -> Path:
    naive.release(tmp_path / "public")
    return tmp_path / "public"


def found(tree: Path) -> dict[tuple[str, ...], tuple[str, float, float]]:
    """dataset and coordinates -> kind, low, high"""
    return {
        (leak.dataset, *(value for _, value in leak.at), leak.kind): (leak.kind, leak.low, leak.high)
        for leak in attack(tree).leaks
    }


def test_a_naive_release_gives_itself_away(exposed: Path) -> None:
    leaks = found(exposed)
    # a present commune less the other one that it was made from
    assert leaks["residents", "A2", "exact"] == ("exact", 6, 6)
    # both makers withheld: 9 and 3 are known to lie within 12
    assert leaks["residents", "C2", "below"] == ("below", 3, 9)
    # a month between two running sums
    assert leaks["births", "2025-02", "exact"] == ("exact", 4, 4)
    # a birth that was registered late
    assert leaks["births-since-january", "2025-03", "difference"] == ("difference", 1, 1)
    # two datasets that state no link: by sex less by age
    assert leaks["by-sex", "B", "m", "exact"] == ("exact", 7, 7)
    assert Counter(kind for kind, *_ in leaks.values())["exact"] >= 3


def test_it_says_what_it_found_and_ends_with_status_1(exposed: Path) -> None:
    told = CliRunner().invoke(main, ["attack", str(exposed)])
    assert told.exit_code == 1
    assert "exact: residents, people at commune_code A2: 6" in told.output
    machine = CliRunner().invoke(main, ["attack", "--json", str(exposed)])
    assert machine.exit_code == 1
    assert {leak["kind"] for leak in json.loads(machine.output)["leaks"]} >= {"exact", "below", "difference"}


def test_noise_leaves_nothing_to_find(tmp_path: Path) -> None:
    """The same people by former and present communes, protected as we do it."""
    for vintage, version, rows in [
        ("2004-01-01", "2025.6.0", [("A1", 121), ("A2", None), ("B1", 43), ("B2", 33)]),
        ("2025-07-01", "2025.7.0", [("A", 126), ("B", 74)]),
    ]:
        rules = naive.rules("residents", ["commune_code"], method="cell_key", noise=3, vintage=vintage)
        naive.write(tmp_path, version, f"2025-0{version[5]}-30", rules, rows)
    naive.write_crosswalk(tmp_path, [("A1", "A"), ("A2", "A"), ("B1", "B"), ("B2", "B")])
    seen = attack(tmp_path)
    assert (seen.versions, seen.withheld, seen.leaks) == (2, 1, ())
    told = CliRunner().invoke(main, ["attack", str(tmp_path)])
    assert (told.exit_code, told.output) == (0, "2 versions, 6 cells, 1 of them withheld: nothing was inferred\n")


def test_an_empty_folder_is_no_tree(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="no public tree"):
        attack(tmp_path)
