"""What others have published beside the same figures worked out from records, and which of it contradicts which.

Published values are data: the source `indicator` delivers them as reviewed files, and `marts.fct_published_value` has them
as printed. The seed `published_figure` says which metric version answers one; the marts of `indicator` hold the two
against each other with each build. No metric, mart or rule reads a published value.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg.rows import class_row
from rich.console import Group
from rich.table import Table as Grid

from khochung import warehouse
from khochung.settings import Settings

QUERY = """
select
    value_code as code, kind, name_vi as indicator_vi, name_en as indicator_en, province_code as province, is_elsewhere,
    unit, qualifier, period_start, period_end, published,
    trim_scale(published_denominator) as published_denominator, trim_scale(computed) as computed,
    trim_scale(numerator) as numerator, trim_scale(denominator) as denominator,
    metric_code || '/' || metric_version as metric_version, waits_for, publisher, document, document_on, plan
from marts.fct_published_comparison
order by is_elsewhere, province_code, document_on nulls last, document, period_end, value_code
"""
DISAGREEMENTS = """
select value_code as code, other_code as other, rule, why_vi, why_en
from marts.fct_published_disagreement
order by rule desc, value_code, other_code
"""


@dataclass(frozen=True)
class Figure:
    """One published figure. kind: `computed` from records, `reported` or `target`, which are only taken over.

    computed: None while no metric answers it or its period holds nothing. difference: computed - published.
    within_rounding: the published value is what the computed one rounds to, as far as its wording goes.
    waits_for: the source that would answer it, where none of those connected does.
    is_elsewhere: of a province (`province`, its code) that this warehouse does not serve.
    """

    code: str
    kind: str
    indicator_vi: str
    indicator_en: str
    province: str
    is_elsewhere: bool
    unit: str
    qualifier: str
    period_start: date | None
    period_end: date
    published: Decimal
    published_denominator: Decimal | None
    computed: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    metric_version: str | None
    waits_for: str | None
    publisher: str
    document: str
    document_on: date | None
    plan: str | None

    @property
    def difference(self) -> Decimal | None:
        return None if self.computed is None else self.computed - self.published

    @property
    def within_rounding(self) -> bool | None:
        return None if self.computed is None else agrees(self.published, self.computed, self.qualifier)

    @property
    def source(self) -> str:
        """Who says so, in which document; of a target the plan that sets it."""
        return "; ".join(word for word in (self.publisher, self.plan, self.document) if word)

    @property
    def note(self) -> str:
        """What it was worked out from, and why it cannot agree where it does not."""
        if self.is_elsewhere:
            return f"of province {self.province}, which this warehouse does not serve: taken over"
        if self.metric_version is None:
            return f"waits for: {self.waits_for}" if self.kind == "computed" else "taken over as published"
        if self.computed is None:
            return "no record of its period"
        if self.denominator is None:
            return ""
        told = f"{self.numerator:,.0f} of {self.denominator:,.0f}"
        if self.within_rounding or self.difference is None:
            return told
        weight = 100 / self.denominator
        if abs(self.difference) <= weight:
            return f"{told}: one record weighs {weight:.3f} points, so it cannot come closer"
        if self.published_denominator and self.denominator != self.published_denominator:
            return f"{told}, published over {self.published_denominator:,.0f}: the source delivers a part only"
        return told

    def as_json(self) -> dict[str, Any]:
        """Numbers as JSON numbers; the keys are an interface."""
        return {
            "code": self.code,
            "kind": self.kind,
            "province": self.province,
            "published": float(self.published),
            "computed": None if self.computed is None else float(self.computed),
            "difference": None if self.difference is None else float(self.difference),
            "within_rounding": self.within_rounding,
            "metric_version": self.metric_version,
            "source": self.source,
            "note": self.note,
        }


@dataclass(frozen=True)
class Disagreement:
    """Two published values that cannot both be meant in the same words. rule: `same moment` (found) or `reviewed`.

    why_vi, why_en: the reason, None while nobody has said.
    """

    code: str
    other: str
    rule: str
    why_vi: str | None
    why_en: str | None


def as_json(found: list[Figure], unequal: list[Disagreement]) -> list[dict[str, Any]]:
    """The figures as JSON objects, each with what it contradicts; the keys are an interface."""
    pairs = [(pair.code, pair.other, pair) for pair in unequal] + [(pair.other, pair.code, pair) for pair in unequal]
    against = {
        code: [
            {"code": other, "rule": pair.rule, "why_vi": pair.why_vi, "why_en": pair.why_en}
            for one, other, pair in pairs
            if one == code
        ]
        for code, _, _ in pairs
    }
    return [item.as_json() | {"disagrees_with": against.get(item.code, [])} for item in found]


def agrees(published: Decimal, computed: Decimal, qualifier: str) -> bool:
    """Whether a value may be told in these words: exact to half a unit of its last digit, about to a whole one.

    `over` is less than what it is, `nearly` is more, by a twentieth at most.
    """
    last_digit = Decimal(1).scaleb(int(published.as_tuple().exponent))
    if qualifier == "over":
        return published < computed <= published * Decimal("1.05")
    if qualifier == "nearly":
        return published * Decimal("0.95") <= computed < published
    return abs(computed - published) <= last_digit * (1 if qualifier == "about" else Decimal("0.5"))


def figures(settings: Settings) -> list[Figure]:
    """Every published figure, those of the province first, as the last build has them and the analyst sees them."""
    with (
        warehouse.connect(settings, "analyst") as connection,
        connection.cursor(row_factory=class_row(Figure)) as cursor,
    ):
        return cursor.execute(QUERY).fetchall()


def disagreements(settings: Settings) -> list[Disagreement]:
    """Which published figures contradict each other, those that a rule finds first."""
    with (
        warehouse.connect(settings, "analyst") as connection,
        connection.cursor(row_factory=class_row(Disagreement)) as cursor,
    ):
        return cursor.execute(DISAGREEMENTS).fetchall()


def grid(found: list[Figure], unequal: list[Disagreement]) -> Group:
    """The figures for a terminal, how many agree, and what contradicts what."""
    table = Grid(
        "chỉ tiêu / indicator", "công bố / published", "tính được / computed", "lệch / difference", "",
        "cách tính / metric", "từ / from", "nguồn / document",
    )  # fmt: skip
    for item in found:
        told = {True: "✓", False: "✗", None: ""}[item.within_rounding]
        words = {"exact": "", "about": "~", "over": ">", "nearly": "<"}[item.qualifier]
        numbers = ("–" if number is None else f"{number:,}" for number in (item.computed, item.difference))
        table.add_row(
            f"{item.indicator_vi} / {item.indicator_en}", f"{words}{item.published:,} {item.unit}", *numbers, told,
            item.metric_version or item.kind, item.note, item.source,
        )  # fmt: skip
    answered = [item for item in found if item.computed is not None]
    agreeing = sum(item.within_rounding is True for item in answered)
    said = {item.code: item for item in found}
    lines = [_contradiction(item, said) for item in unequal]
    return Group(
        table,
        f"{len(answered)} of {len(found)} are worked out from records; {agreeing} of them agree",
        f"{len(lines)} pairs of published figures contradict each other" + (":" if lines else ""),
        *lines,
    )


def _contradiction(pair: Disagreement, said: dict[str, Figure]) -> str:
    sides = [
        f"{said[code].published:,} {said[code].unit} ({code}: {said[code].source})" for code in (pair.code, pair.other)
    ]
    return f"• {sides[0]}\n  ≠ {sides[1]}\n  {pair.why_vi or 'chưa rõ vì sao'} / {pair.why_en or 'nobody has said why'}"
