"""The joint audit: every kind of attack, each built by hand, is found in exact counts and not in noisy ones."""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khochung.contract import Linked
from khochung.disclosure import noise
from khochung.disclosure.audit import Leak, Table, audit, related, sums_compared
from khochung.disclosure.bounds import Problem, tighten
from khochung.disclosure.cells import Cell, Rules

THRESHOLD = 10
Counts = Mapping[tuple[str, ...], int]


def rules(slug: str, method: str, keys: Iterable[str], **changes: object) -> Rules:
    plain = {
        "slug": slug, "method": method, "unit": "person", "threshold": THRESHOLD,
        "noise": noise.table().largest if method == "cell_key" else 0, "zeros": "withheld", "vintage": None,
        "keys": tuple(keys), "measures": ("people",), "parts": {}, "linked": (),
    }  # fmt: skip
    return Rules(**(plain | changes))  # type: ignore[arg-type]


def table(of: Rules, *versions: Mapping[tuple[str, ...], float | None], measure: str = "people") -> Table:
    made = Table(of)
    for version in versions:
        made = made.take(Cell(measure, tuple(zip(of.keys, at, strict=True)), n) for at, n in version.items())
    return made


def kinds(leaks: Iterable[Leak]) -> Counter[str]:
    return Counter(leak.kind for leak in leaks)


def plain(counts: Counts) -> dict[tuple[str, ...], float | None]:
    """Exact counts, the small ones withheld."""
    return {at: n if n >= THRESHOLD else None for at, n in counts.items()}


def number(person: str) -> int:
    return int(hashlib.sha256(person.encode()).hexdigest()[:7], 16)


def noisy(people: Mapping[tuple[str, ...], Iterable[str]]) -> dict[tuple[str, ...], float | None]:
    """The cell-key method as macros/disclosure.sql has it."""
    steps = list(itertools.accumulate(noise.table().shares.values()))
    shown: dict[tuple[str, ...], float | None] = {}
    for at, persons in people.items():
        members = list(persons)
        share = sum(map(number, members)) % noise.KEYS / noise.KEYS
        added = next(n for n, step in zip(noise.table().shares, steps, strict=True) if share < step)
        value = len(members) + added if members else 0
        shown[at] = value if min(value, len(members)) >= THRESHOLD else None
    return shown


def crowd(name: str, size: int) -> list[str]:
    return [f"{name}{i}" for i in range(size)]


# --- what a rule tells by itself


@pytest.mark.parametrize(
    ("method", "value", "expected"),
    [
        ("cell_key", None, (0, 12)), ("cell_key", 10, (10, 13)), ("cell_key", 12, (10, 15)), ("cell_key", 40, (37, 43)),
        ("cell_key", 0, (0, 0)), ("suppression", None, (0, 9)), ("suppression", 40, (40, 40)),
        ("dominance", None, (0, float("inf"))), ("dominance", 1.5, (1.5, 1.5)),
    ],
)  # fmt: skip
def test_what_a_cell_tells(method: str, value: float | None, expected: tuple[float, float]) -> None:
    assert rules("d", method, ["commune"]).tells(value) == expected


def test_a_withheld_cell_of_a_plain_rule_is_known_to_be_small() -> None:
    exact = audit({"d": table(rules("d", "suppression", ["commune"]), {("A",): 40, ("B",): None})})
    assert kinds(exact.leaks) == {"below": 1}
    assert (exact.cells, exact.protected) == (2, 1)
    assert audit({"d": table(rules("d", "cell_key", ["commune"]), {("A",): 40, ("B",): None})}).leaks == ()


# --- linked datasets that share a margin


def linked(
    method: str, by_field: Mapping[tuple[str, ...], float | None], by_agency: Mapping[tuple[str, ...], float | None]
) -> dict[str, Table]:
    link = Linked(dataset="by-field", by=("month",))
    return {
        "by-agency": table(rules("by-agency", method, ["month", "agency"], linked=(link,)), by_agency),
        "by-field": table(rules("by-field", method, ["month", "field"]), by_field),
    }


FIELDS = {("7", "birth"): crowd("b", 41), ("7", "land"): crowd("l", 62)}
AGENCIES = {("7", "north"): crowd("b", 41) + crowd("l", 20), ("7", "south"): [f"l{i}" for i in range(20, 58)],
            ("7", "island"): [f"l{i}" for i in range(58, 62)]}  # fmt: skip


def sizes(people: Mapping[tuple[str, ...], list[str]]) -> dict[tuple[str, ...], int]:
    return {at: len(members) for at, members in people.items()}


def test_the_margin_of_another_dataset_gives_the_only_withheld_cell_away() -> None:
    found = audit(linked("suppression", plain(sizes(FIELDS)), plain(sizes(AGENCIES)))).leaks
    island = [leak for leak in found if ("agency", "island") in leak.at]
    assert [(leak.kind, leak.low, leak.high) for leak in island] == [("exact", 4, 4)]


def test_the_same_margin_under_noise_gives_nothing_away() -> None:
    tables = linked("cell_key", noisy(FIELDS), noisy(AGENCIES))
    assert audit(tables).leaks == ()
    assert set(related(tables, "by-field")) == {"by-agency", "by-field"}


def test_a_margin_that_bounds_a_cell_below_the_threshold_is_found_under_noise_too() -> None:
    """One published field and one published agency, as large as noise can tell: the third is surely below ten."""
    fields = {("7", "birth"): 14.0}
    agencies = {("7", "north"): 12.0, ("7", "island"): None}
    (leak,) = audit(linked("cell_key", fields, agencies)).leaks
    assert (leak.kind, leak.low, leak.high) == ("below", 0, 7)


def test_a_margin_that_pins_a_cell_is_found() -> None:
    """Of a whole that is surely 17 to 23, two published parts leave 12 at most and 7 at least."""
    fields = {("7", "birth"): 40.0}
    agencies = {("7", "north"): 24.0, ("7", "island"): None}
    (leak,) = audit(linked("cell_key", fields, agencies)).leaks
    assert (leak.kind, leak.low, leak.high) == ("narrow", 10, 12)


def test_sums_that_contradict_each_other_tell_nothing() -> None:
    fields = {("7", "birth"): 500.0}
    assert audit(linked("cell_key", fields, {("7", "north"): 40.0, ("7", "island"): None})).leaks == ()


def test_how_far_noise_sets_sums_apart_is_reported() -> None:
    tables = linked("cell_key", {("7", "birth"): 41.0}, {("7", "north"): 20.0, ("7", "south"): 24.0})
    assert sums_compared(tables, "by-agency") == (1, 3.0)


# --- cumulative against monthly


def running(
    method: str, monthly: Mapping[tuple[str, ...], float | None], total: Mapping[tuple[str, ...], float | None]
) -> dict[str, Table]:
    link = Linked(dataset="since-january", by=("commune",), running="month")
    return {
        "monthly": table(rules("monthly", method, ["month", "commune"], linked=(link,)), monthly),
        "since-january": table(rules("since-january", method, ["month", "commune"]), total),
    }


def test_a_cumulative_series_gives_a_month_away() -> None:
    monthly = {("2024-12", "A"): 30, ("2025-01", "A"): 20, ("2025-02", "A"): 4, ("2025-03", "A"): 15}
    total = {("2025-01", "A"): 20, ("2025-02", "A"): 24, ("2025-03", "A"): 39}
    february = audit(running("suppression", plain(monthly), plain(total))).leaks
    assert [(leak.kind, leak.low, leak.high) for leak in february] == [("exact", 4, 4)]
    assert february[0].dataset == "monthly"


def test_a_cumulative_series_under_noise_gives_no_month_away() -> None:
    people = {(f"2025-0{month}", "A"): crowd(f"m{month}-", size) for month, size in ((1, 20), (2, 4), (3, 15))}
    total = {
        (month, "A"): [p for (other, _), members in people.items() if other <= month for p in members]
        for month, _ in people
    }
    assert audit(running("cell_key", noisy(people), noisy(total))).leaks == ()


# --- versions


def test_one_birth_between_two_versions_is_seen_in_exact_counts() -> None:
    of = rules("births", "suppression", ["month"])
    found = audit({"births": table(of, {("8",): 40}, {("8",): 41})}).leaks
    assert [(leak.kind, leak.low, leak.high) for leak in found] == [("difference", 1, 1)]


@given(st.integers(10, 60), st.integers(1, 40))
def test_late_births_are_not_seen_under_noise(before: int, more: int) -> None:
    of = rules("births", "cell_key", ["month"])
    born = crowd("child", before + more)
    assert audit({"births": table(of, noisy({("8",): born[:before]}), noisy({("8",): born}))}).leaks == ()


def test_a_value_that_was_withheld_does_not_come_back() -> None:
    of = rules("land", "dominance", ["commune"])
    assert kinds(audit({"land": table(of, {("A",): None}, {("A",): 7.5})}).leaks) == {"returned": 1}
    assert audit({"land": table(of, {("A",): 7.5}, {("A",): None})}).leaks == ()


def test_few_others_of_a_whole_are_seen_in_exact_counts() -> None:
    """48 of 50 online: two people stood at the counter."""

    def both(method: str, whole: float, part: float) -> Table:
        of = rules("d", method, ["agency"], measures=("received", "online"), parts={"online": "received"})
        made = table(of, {("A",): whole}, measure="received")
        return made.take([Cell("online", (("agency", "A"),), part)])

    assert kinds(audit({"d": both("suppression", 50, 48)}).leaks) == {"part": 1}
    assert audit({"d": both("suppression", 50, 50)}).leaks == ()
    assert [audit({"d": both("cell_key", 50, part)}).leaks for part in range(40, 51)] == [()] * 11


# --- former and present communes

SPLIT = {"a": frozenset("N"), "b": frozenset("N"), "c": frozenset("NM"), "d": frozenset("M")}


def communes(
    method: str, former: Mapping[tuple[str, ...], float | None], present: Mapping[tuple[str, ...], float | None]
) -> dict[str, Table]:
    keys = ["commune_code"]
    return {
        "d@2004-01-01": table(rules("d", method, keys, vintage="2004-01-01"), former),
        "d@2025-07-01": table(rules("d", method, keys, vintage="2025-07-01"), present),
    }


def test_a_present_commune_less_its_other_makers_is_the_withheld_one() -> None:
    whole = {"a": frozenset("N"), "b": frozenset("N")}
    found = audit(communes("suppression", plain({("a",): 120, ("b",): 6}), plain({("N",): 126})), whole).leaks
    assert [(leak.kind, leak.low, leak.high) for leak in found] == [("exact", 6, 6)]


def test_a_divided_commune_bounds_what_is_withheld() -> None:
    """c was divided between N and M. All of M but the part of c is published, and so is N: b is 3 to 9."""
    former = {("a",): 50.0, ("b",): None, ("c",): 30.0, ("d",): 40.0}
    loose = audit(communes("suppression", former, {("N",): 62.0}), SPLIT).leaks
    tight = audit(communes("suppression", former, {("N",): 62.0, ("M",): 63.0}), SPLIT).leaks
    assert [(leak.kind, leak.low, leak.high) for leak in loose] == [("below", 0, 9)]
    assert [(leak.kind, leak.low, leak.high) for leak in tight] == [("exact", 5, 5)]


def test_a_maker_that_was_never_published_hides_the_others() -> None:
    found = audit(communes("cell_key", {("a",): 50.0, ("b",): None}, {("N",): 62.0}), SPLIT)
    assert found.leaks == ()


# --- random populations, both ways

PEOPLE = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("NM"), st.sampled_from("fm")), min_size=60, max_size=160
)


@settings(max_examples=25, deadline=None)
@given(PEOPLE)
def test_random_reforms_are_safe_under_noise_and_not_without(drawn: list[tuple[str, str, str]]) -> None:
    """People of former communes, of which c was divided, by sex; each lives on in a holder of theirs."""
    homes = {
        f"p{i}": (old, new if new in SPLIT[old] else min(SPLIT[old]), sex) for i, (old, new, sex) in enumerate(drawn)
    }
    former: dict[tuple[str, ...], list[str]] = {(old, sex): [] for old in SPLIT for sex in "fm"}
    present: dict[tuple[str, ...], list[str]] = {(new, sex): [] for new in "NM" for sex in "fm"}
    for person, (old, new, sex) in homes.items():
        former[old, sex].append(person)
        present[new, sex].append(person)

    def tables(
        method: str, first: Mapping[tuple[str, ...], float | None], then: Mapping[tuple[str, ...], float | None]
    ) -> dict[str, Table]:
        keys = ["commune_code", "sex"]
        return {
            name: table(rules("d", method, keys, vintage=name[2:]), cells)
            for name, cells in (("d@2004-01-01", first), ("d@2025-07-01", then))
        }

    exact = audit(tables("suppression", plain(sizes(former)), plain(sizes(present))), SPLIT).leaks
    withheld = sum(0 <= len(members) < THRESHOLD for members in (*former.values(), *present.values()))
    assert (len(exact) > 0) == (withheld > 0)
    for leak in audit(tables("cell_key", noisy(former), noisy(present)), SPLIT).leaks:
        assert leak.kind != "exact"


# --- the programme itself

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), min_size=3, max_size=8)


@settings(max_examples=30, deadline=None)
@given(SPANS, st.integers(1, 7))
def test_a_single_sum_needs_no_programme(spans: list[tuple[int, int]], left: int) -> None:
    """Worked out by hand and by HiGHS (which gets the sum twice), the bounds are the same."""
    answers = []
    for times in (1, 2):
        problem = Problem()
        unknowns = [problem.unknown(low, low + width) for low, width in spans]
        for _ in range(times):
            problem.equal(unknowns[: min(left, len(unknowns) - 1)], unknowns[min(left, len(unknowns) - 1) :])
        answers.append(tighten(problem, unknowns, lambda *_: False))
    (by_hand, broken), (by_programme, broken_too) = answers
    assert (broken == []) == (broken_too == [])
    assert by_hand.keys() == by_programme.keys()
    for unknown, span in by_hand.items():
        assert span == pytest.approx(by_programme[unknown], abs=1e-5)
