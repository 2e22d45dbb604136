"""Whether a suite asks less than another: a rule gone, less severe, or with a looser bound."""

from typing import Any

from khochung.gate.suites import COLUMN_ARGUMENTS, RULES, SEVERITIES, Expectation, Suite

# Which way an argument may move without anybody's consent. What is not named here must stay as it is.
RISES, FALLS = ("min_value", "mostly"), ("max_value",)
ABSENT = {"mostly": 1}


def lowered(before: Suite, now: Suite | None) -> list[str]:
    """The rules of `before` that no rule of `now` covers, by the words that people know them by."""
    rules = now.expectations if now else ()
    lost = [rule.meta.en for rule in before.expectations if not any(_covers(other, rule) for other in rules)]
    blocked = set(before.datasets) - set(now.datasets if now else ())
    return lost + [f"{before.subject} no longer blocks {slug}" for slug in sorted(blocked)]


def _covers(now: Expectation, before: Expectation) -> bool:
    """True when whatever fails `before` also fails `now`, at least as severely."""
    return (
        now.type == before.type
        and SEVERITIES.index(now.severity) >= SEVERITIES.index(before.severity)
        and all(_as_tight(name, now.kwargs, before.kwargs) for name in set().union(*RULES[now.type]))
    )


def _as_tight(name: str, now: dict[str, Any], before: dict[str, Any]) -> bool:
    new, old = now.get(name, ABSENT.get(name)), before.get(name, ABSENT.get(name))
    if name in COLUMN_ARGUMENTS or new == old:
        return bool(new == old)
    if name in (*RISES, *FALLS) and (old is None or new is None):
        return old is None
    if name in (*RISES, *FALLS) and isinstance(new, str) != isinstance(old, str):
        return False  # a day and a number: another rule
    if name in RISES:
        return bool(new >= old)  # type: ignore[operator]
    if name in FALLS:
        return bool(new <= old)  # type: ignore[operator]
    if name == "value_set":
        return set(new or ()) <= set(old or ())
    return name == "or_equal" and not new
