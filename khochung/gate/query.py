"""Rules that ask the warehouse for one number: our own expectation of Great Expectations, and the SQL of comparisons.

Importing this module imports the library, which takes seconds: only the engine does it.
"""

from typing import Any, ClassVar

from great_expectations.expectations.expectation import BatchExpectation

from khochung.gate.suites import LAST_KEYS, LAST_ROWS, LAST_SHARES, Expectation, Subject


class ExpectQueryValueToBeBetween(BatchExpectation):
    """A query returns one row with the column `value`; it lies between the bounds.

    The library's `UnexpectedRowsExpectation` fetches failing rows beside their count. This one evaluates the query once
    and brings home a number, so that no value of a row can get into a verdict.
    """

    query: str
    min_value: float | None = None
    max_value: float | None = None
    # What a comparison answers when there is nothing to compare with.
    null_passes: bool = False

    metric_dependencies: ClassVar[tuple[str, ...]] = ("query.table",)
    success_keys: ClassVar[tuple[str, ...]] = ("query", "min_value", "max_value", "null_passes")
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        ((row,)) = metrics["query.table"]
        value = row["value"]
        if value is None:
            if not self.null_passes:
                raise ValueError("the query has no value")
            return {"success": True, "result": {}}
        found = float(value)
        low = self.min_value is None or found >= self.min_value
        high = self.max_value is None or found <= self.max_value
        return {"success": low and high, "result": {"observed_value": int(found) if found.is_integer() else found}}


def as_query(subject: Subject, rule: Expectation) -> ExpectQueryValueToBeBetween:
    """The rule as a query. A comparison with the last version is written out for the subject's columns."""
    bounds = {name: rule.kwargs[name] for name in ("min_value", "max_value") if name in rule.kwargs}
    if rule.type not in COMPARISONS:
        return ExpectQueryValueToBeBetween(query="\n".join(rule.kwargs["query"]), **bounds)
    names = {
        "relation": f"{subject.schema}.{subject.relation}",
        "slug": subject.name,
        "columns": ", ".join(rule.kwargs.get("column_list", [])),
        "column": rule.kwargs.get("column", ""),
        "by": rule.kwargs.get("by", ""),
    }
    query = (LAST_VERSION + COMPARISONS[rule.type]).format(**names)
    return ExpectQueryValueToBeBetween(query=query, null_passes=True, **bounds)


# The rows that were released last, typed as the relation is now: columns that have come are null, those that went are
# left out.
LAST_VERSION = """
    with before as (
        select (jsonb_populate_record(cast(null as {relation}), cells)).*
        from released.last_row
        where slug = '{slug}'
    )
"""
COMPARISONS = {
    LAST_ROWS: """
    select cast(now.rows as double precision) / nullif(before.rows, 0) as value
    from (select count(*) as rows from {relation} as present) as now
    cross join (select count(*) as rows from before) as before
    """,
    # The share of the keys that are still there.
    LAST_KEYS: """
    select 1 - cast(gone.keys as double precision) / nullif(total.keys, 0) as value
    from (select count(*) as keys from (select {columns} from before except select {columns} from {relation}) as lost) as gone
    cross join (select count(*) as keys from before) as total
    """,
    # Total variation distance: the share of the whole that has moved from one group to another.
    LAST_SHARES: """
    , shares as (
        select {by} as part, sum({column}) / nullif(sum(sum({column})) over (), 0) as share, 0 as share_before
        from {relation} as present group by {by}
        union all
        select {by}, 0, sum({column}) / nullif(sum(sum({column})) over (), 0)
        from before group by {by}
    ),

    moved as (
        select sum(coalesce(share, 0)) - sum(coalesce(share_before, 0)) as difference
        from shares
        group by part
    )

    select case when exists (select from before) then sum(abs(difference)) / 2 end as value
    from moved
    """,
}
