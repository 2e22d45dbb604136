"""What the government has published beside the same figures worked out from records.

`reference/published_figures.csv` is the only place that holds published values; no model, macro or rule reads it. A row
with a `metric_code` says which metric version answers it; the others say which source they wait for, or that they were
taken over as published.
"""

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any

from rich.console import Group
from rich.table import Table as Grid

from khochung import province, warehouse
from khochung.settings import Settings

QUERY = """
with metric as (
    select * from kpi.metric where metric_code = %(metric_code)s and metric_version = %(metric_version)s
),

added_up as (
    select sum(day.numerator) as numerator, sum(day.denominator) as denominator
    from metric
    inner join kpi.metric_day as day
        on metric.metric_code = day.metric_code and metric.metric_version = day.metric_version
    where
        (day.agency_key is null or day.former_province = %(former_province)s)
        and day.day <= %(until)s and (day.accrual = 'running' or day.day >= %(since)s)
),

counted_once as (
    select
        count(distinct procedure_code) filter (where in_numerator) as numerator,
        nullif(count(distinct procedure_code) filter (where in_denominator), 0) as denominator
    from metric
    inner join kpi.metric_member as member
        on metric.metric_code = member.metric_code and metric.metric_version = member.metric_version
    where
        member.former_province = %(former_province)s
        and member.from_day <= %(until)s and member.to_day >= %(since)s
)

select
    kpi.value(one.numerator, one.denominator, metric.factor), one.numerator, one.denominator
from metric
inner join (
    select 'distinct' as kind, * from counted_once
    union all
    select other.kind, added_up.* from added_up cross join (values ('flow'), ('stock')) as other (kind)
) as one on metric.kind = one.kind
"""
"""Value, numerator and denominator of a metric version over a period, in the area of a former province."""


@dataclass(frozen=True)
class Figure:
    """One published figure. kind: `computed` from records, `reported` or `target`, which are only taken over.

    computed: None while no metric answers it or its period holds nothing. difference: computed - published.
    within_rounding: the published value is what the computed one rounds to, as far as its wording goes.
    waits_for: the source that would answer it, where none of those connected does.
    """

    code: str
    kind: str
    indicator_vi: str
    indicator_en: str
    unit: str
    qualifier: str
    published: Decimal
    published_denominator: Decimal | None
    computed: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    metric_version: str | None
    waits_for: str | None

    @property
    def difference(self) -> Decimal | None:
        return None if self.computed is None else self.computed - self.published

    @property
    def within_rounding(self) -> bool | None:
        return None if self.computed is None else agrees(self.published, self.computed, self.qualifier)

    @property
    def note(self) -> str:
        """What it was worked out from, and why it cannot agree where it does not."""
        if self.metric_version is None:
            return f"waits for: {self.waits_for}" if self.kind == "computed" else f"taken over: {self.waits_for}"
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
            "published": float(self.published),
            "computed": None if self.computed is None else float(self.computed),
            "difference": None if self.difference is None else float(self.difference),
            "within_rounding": self.within_rounding,
            "metric_version": self.metric_version,
            "note": self.note,
        }


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
    """Every figure published for the province that is served, in the order of the reference file, computed as the
    analyst sees the warehouse."""
    text = files("khochung").joinpath("reference/published_figures.csv").read_text(encoding="utf-8")
    with warehouse.connect(settings, "analyst") as connection:
        served = province.served().codes
        rows = (row for row in csv.DictReader(text.splitlines()) if row["former_province"] in served)
        return [_figure(connection, row) for row in rows]


def _figure(connection: Any, row: dict[str, str]) -> Figure:
    computed, numerator, denominator = None, None, None
    if row["metric_code"]:
        until = date.fromisoformat(row["period_end"])
        since = date.fromisoformat(row["period_start"]) if row["period_start"] else until
        found = connection.execute(QUERY, row | {"since": since, "until": until}).fetchone()
        computed, numerator, denominator = found or (None, None, None)
    return Figure(
        code=row["code"],
        kind=row["kind"],
        indicator_vi=row["indicator_vi"],
        indicator_en=row["indicator_en"],
        unit=row["unit"],
        qualifier=row["qualifier"],
        published=Decimal(row["value"]),
        published_denominator=Decimal(row["denominator"]) if row["denominator"] else None,
        computed=computed,
        numerator=numerator,
        denominator=denominator,
        metric_version=f"{row['metric_code']}/{row['metric_version']}" if row["metric_code"] else None,
        waits_for=row["waits_for"] or None,
    )


def grid(found: list[Figure]) -> Group:
    """The figures for a terminal, and how many agree."""
    table = Grid(
        "chỉ tiêu / indicator", "công bố / published", "tính được / computed", "lệch / difference", "",
        "cách tính / metric", "từ / from",
    )  # fmt: skip
    for item in found:
        told = {True: "✓", False: "✗", None: ""}[item.within_rounding]
        words = {"exact": "", "about": "~", "over": ">", "nearly": "<"}[item.qualifier]
        numbers = ("–" if number is None else f"{number:,}" for number in (item.computed, item.difference))
        table.add_row(
            f"{item.indicator_vi} / {item.indicator_en}", f"{words}{item.published:,} {item.unit}", *numbers, told,
            item.metric_version or item.kind, item.note,
        )  # fmt: skip
    answered = [item for item in found if item.computed is not None]
    agreeing = sum(item.within_rounding is True for item in answered)
    return Group(table, f"{len(answered)} of {len(found)} are worked out from records; {agreeing} of them agree")
