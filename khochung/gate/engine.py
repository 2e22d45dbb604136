"""Great Expectations as the gate uses it: one context over one role's connection, and results that hold counts alone."""

import logging
import warnings
from collections.abc import Mapping
from typing import Any

from khochung import warehouse
from khochung.gate.suites import COMPARISONS, QUERY, Expectation, Subject, Suite
from khochung.settings import Settings

# Counts without examples: an example of a bad value would carry a person's data into the verdict.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
QUERIES = (QUERY, *COMPARISONS)


class Engine:
    """One Great Expectations context over one role's connection. Importing the library takes seconds: done here."""

    def __init__(self, settings: Settings, role: warehouse.Role) -> None:
        import great_expectations as gx

        logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
        self.gx = gx
        self.context = gx.get_context(mode="ephemeral")
        self.context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
        self.source = self.context.data_sources.add_postgres(
            "warehouse", connection_string=warehouse.sqlalchemy_url(settings, role)
        )

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.source.get_engine().dispose()

    def evaluate(self, subject: Subject, suite: Suite) -> list[dict[str, Any]]:
        """The results in the order of the suite. What cannot be evaluated has failed, and is critical."""
        from great_expectations.datasource.fluent.interfaces import TestConnectionError

        try:
            with warnings.catch_warnings():  # PostgreSQL connections have no other way to name a schema yet
                warnings.simplefilter("ignore", DeprecationWarning)
                asset = self.source.add_table_asset(
                    f"{subject.name} {len(self.source.assets)}",  # a name of its own each time
                    table_name=subject.relation,
                    schema_name=subject.schema,
                )
        except TestConnectionError:
            problem = f"relation {subject.schema}.{subject.relation} is missing or not readable"
            return [_result(i, expectation, None, problem) for i, expectation in enumerate(suite.expectations)]
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        found = batch.validate(self._suite(subject, suite), result_format=RESULT_FORMAT)
        by_place = {result.expectation_config.meta["place"]: result for result in found.results}
        return [_result(i, expectation, by_place.get(i)) for i, expectation in enumerate(suite.expectations)]

    def _suite(self, subject: Subject, suite: Suite) -> Any:
        rules = []
        for place, rule in enumerate(suite.expectations):
            made = self._rule(subject, rule)
            made.meta = {"place": place}
            rules.append(made)
        return self.gx.ExpectationSuite(name=suite.name, expectations=rules)

    def _rule(self, subject: Subject, rule: Expectation) -> Any:
        from great_expectations.expectations.registry import get_expectation_impl

        from khochung.gate.query import as_query

        return as_query(subject, rule) if rule.type in QUERIES else get_expectation_impl(rule.type)(**rule.kwargs)


def _result(place: int, expectation: Expectation, outcome: Any | None, problem: str | None = None) -> dict[str, Any]:
    if problem is None and (outcome is None or _raised(outcome.exception_info)):
        problem = "the expectation could not be evaluated: check that its columns exist and have the right type"
    elsewhere = {"column", "column_A", "column_B", "column_list", "by", "value_set", "query"}
    return {
        "place": place,
        "expectation": expectation.type,
        "column": ", ".join(expectation.columns) or None,
        "kwargs": {name: value for name, value in expectation.kwargs.items() if name not in elsewhere},
        "severity": "critical" if problem else expectation.severity,
        "success": problem is None and outcome is not None and bool(outcome.success),
        "observed": {} if problem or outcome is None else _observed(outcome.result),
        "problem": problem,
    }


def _raised(information: Any) -> bool:
    """True when any metric behind the expectation raised; the library nests the flag by metric."""
    if not isinstance(information, dict):
        return bool(information)
    if "raised_exception" in information:
        return bool(information["raised_exception"])
    return any(_raised(value) for value in information.values())


def _observed(result: Mapping[str, Any]) -> dict[str, int | float]:
    """Counts only. `observed_value` is kept when it is a plain number: a row count, a sum, a number of distinct values."""
    names = {
        "element_count": "rows",
        "unexpected_count": "unexpected",
        "missing_count": "missing",
        "observed_value": "value",
    }
    figures = {short: result[name] for name, short in names.items() if isinstance(result.get(name), int | float)}
    return {name: value for name, value in figures.items() if not isinstance(value, bool)}
