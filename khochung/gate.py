"""The gate: runs a reviewed suite over a table and records a verdict.

A suite is a JSON file under `expectations/`; Great Expectations evaluates it in SQL, inside the warehouse. The
verdict is a row of `ops.verdict` for one build and one version of the suite. Results hold counts, never values.
"""

import hashlib
import json
import logging
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import Field, ValidationError, model_validator

from khochung import contract, province, warehouse
from khochung.errors import GateError
from khochung.settings import Settings
from khochung.strict import Strict

Severity = Literal["critical", "warning", "info"]
Scope = Literal["source", "dataset"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
# Counts without examples: an example of a bad value would carry a person's data into the verdict.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}

_COLUMN = ({"column"}, {"mostly"})
# What a suite may ask: expectation -> (required arguments, optional ones). All are evaluated in SQL.
RULES: dict[str, tuple[set[str], set[str]]] = {
    "expect_table_row_count_to_be_between": (set(), {"min_value", "max_value"}),
    "expect_compound_columns_to_be_unique": ({"column_list"}, set()),
    "expect_column_values_to_not_be_null": _COLUMN,
    "expect_column_values_to_be_null": _COLUMN,
    "expect_column_values_to_be_unique": _COLUMN,
    "expect_column_values_to_be_in_set": ({"column", "value_set"}, {"mostly"}),
    "expect_column_values_to_match_regex": ({"column", "regex"}, {"mostly"}),
    "expect_column_values_to_not_match_regex": ({"column", "regex"}, {"mostly"}),
    "expect_column_values_to_be_between": ({"column"}, {"min_value", "max_value", "mostly"}),
    "expect_column_unique_value_count_to_be_between": ({"column"}, {"min_value", "max_value"}),
    "expect_column_sum_to_be_between": ({"column"}, {"min_value", "max_value"}),
    "expect_column_pair_values_a_to_be_greater_than_b": ({"column_A", "column_B"}, {"or_equal", "mostly"}),
}
COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list")


class Meaning(Strict):
    """What an expectation says to people, in both languages, and what whoever is woken should do."""

    vi: str = Field(min_length=1)
    en: str = Field(min_length=1)
    next_steps: str = Field(min_length=1)


class Expectation(Strict):
    """One rule of a suite. `critical` blocks; `warning` and `info` are recorded."""

    type: str
    kwargs: dict[str, Any]
    severity: Severity
    meta: Meaning

    @model_validator(mode="after")
    def _known_rule(self) -> "Expectation":
        if self.type not in RULES:
            raise ValueError(f"unknown type {self.type}; known: {', '.join(sorted(RULES))}")
        required, optional = RULES[self.type]
        missing, unknown = required - set(self.kwargs), set(self.kwargs) - required - optional
        if missing:
            raise ValueError(f"{self.type} needs {', '.join(sorted(missing))}")
        if unknown:
            raise ValueError(f"{self.type} does not take {', '.join(sorted(unknown))}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the rule reads."""
        found: list[str] = []
        for argument in COLUMN_ARGUMENTS:
            value = self.kwargs.get(argument, [])
            found += [value] if isinstance(value, str) else value
        return tuple(found)


class Suite(Strict):
    """The reviewed rules for one subject: a source table `<source>__<table>` or a dataset's slug."""

    name: str
    subject: str
    severity_note: str | None = None
    expectations: tuple[Expectation, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Subject:
    """What is judged: a relation of the warehouse and the file that holds its suite."""

    scope: Scope
    name: str
    schema: str
    relation: str
    suite: Path


@dataclass(frozen=True)
class Verdict:
    """One row of `ops.verdict`. `passed`: no expectation of severity `critical` failed."""

    verdict_id: int
    scope: str
    subject: str
    build_id: int
    suite_sha256: str
    passed: bool
    failed_severity: str | None
    evaluated: int
    failed: int
    results: list[dict[str, Any]]
    seconds: float


def read_suite(path: Path, subject: str) -> Suite:
    """The suite of `subject`. Raises GateError when it is missing, empty, malformed or about something else."""
    if not path.is_file():
        raise GateError(f"{subject} has no suite: write {path.parent.name}/{path.name} under expectations/")
    try:
        suite = Suite.model_validate(_content(path))
    except json.JSONDecodeError as error:
        raise GateError(f"{path.parent.name}/{path.name} is not JSON: {error}") from error
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)]
        raise GateError(f"{path.parent.name}/{path.name} is malformed; correct:\n" + "\n".join(lines)) from error
    if suite.subject != subject:
        raise GateError(f"{path.parent.name}/{path.name} is about {suite.subject}: expected subject {subject}")
    return suite


def suite_sha256(path: Path) -> str:
    """SHA-256 of the suite's canonical JSON: layout and key order do not count, what the province gives does."""
    canonical = json.dumps(_content(path), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _content(path: Path) -> Any:
    """A suite's JSON with the bounds that the served province gives: `$communes`, `$former_province_codes`, …"""
    try:
        return province.filled(json.loads(path.read_text(encoding="utf-8")), province.served())
    except KeyError as error:
        where = f"{path.parent.name}/{path.name}"
        raise GateError(f"{where}: ${error.args[0]} is nothing that a province gives: khochung/province.py") from error


def source_subjects(
    settings: Settings, catalogue: Mapping[str, contract.Source] | None = None, folder: Path | None = None
) -> list[Subject]:
    """Every contract table, by name of its relation in schema `raw`."""
    place = folder or settings.expectations / "sources"
    tables = [table for source in (catalogue or contract.sources()).values() for table in source.tables]
    return [Subject("source", t.relation, "raw", t.relation, place / f"{t.relation}.json") for t in tables]


def dataset_subjects(
    settings: Settings, catalogue: Mapping[str, contract.Dataset] | None = None, folder: Path | None = None
) -> list[Subject]:
    """Every published dataset, by slug."""
    place = folder or settings.expectations / "open_data"
    found = (contract.datasets() if catalogue is None else catalogue).values()
    return [Subject("dataset", d.slug, "open_data", d.model, place / f"{d.slug}.json") for d in found]


def judge_sources(
    settings: Settings,
    build_id: int,
    *,
    catalogue: Mapping[str, contract.Source] | None = None,
    folder: Path | None = None,
) -> list[Verdict]:
    """Judge every source table as the transformer sees it, and record a verdict for each.

    Raises GateError after all others were judged when a suite is missing, empty or malformed.
    """
    return judge(settings, build_id, "transformer", source_subjects(settings, catalogue, folder))


def judge_datasets(
    settings: Settings,
    build_id: int,
    *,
    catalogue: Mapping[str, contract.Dataset] | None = None,
    folder: Path | None = None,
) -> list[Verdict]:
    """Judge every dataset as the publisher sees it, and record a verdict for each. Raises as `judge_sources`."""
    return judge(settings, build_id, "publisher", dataset_subjects(settings, catalogue, folder))


def judge(settings: Settings, build_id: int, role: warehouse.Role, subjects: Iterable[Subject]) -> list[Verdict]:
    """One verdict per subject, each committed on its own, so that one bad suite does not hold up the rest."""
    verdicts: list[Verdict] = []
    refused: list[str] = []
    with (
        _Engine(settings, role) as engine,
        warehouse.connect(settings, "operator", autocommit=True) as ledger,
    ):
        for subject in subjects:
            try:
                suite = read_suite(subject.suite, subject.name)
            except GateError as error:
                refused.append(str(error))
                continue
            started = time.monotonic()
            results = engine.evaluate(subject, suite)
            verdict = _verdict(subject, build_id, results, time.monotonic() - started)
            verdicts.append(_record(ledger, verdict))
    if refused:
        raise GateError(
            f"{len(refused)} of {len(refused) + len(verdicts)} suites cannot be used:\n" + "\n".join(refused)
        )
    if not verdicts:
        raise GateError("nothing was judged: no contract table or dataset is declared")
    return verdicts


def _verdict(subject: Subject, build_id: int, results: list[dict[str, Any]], seconds: float) -> Verdict:
    if not results:
        raise GateError(f"{subject.name}: not one expectation was evaluated; an empty suite passes nothing")
    failed = [result["severity"] for result in results if not result["success"]]
    worst = max(failed, key=SEVERITIES.index, default=None)
    return Verdict(
        0, subject.scope, subject.name, build_id, suite_sha256(subject.suite), worst != "critical", worst,
        len(results), len(failed), results, round(seconds, 3),
    )  # fmt: skip


def _record(ledger: Any, verdict: Verdict) -> Verdict:
    fields = {name: value for name, value in vars(verdict).items() if name != "verdict_id"}
    names = ", ".join(fields)
    marks = ", ".join(f"%({name})s" for name in fields)
    fields["results"] = Jsonb(verdict.results)
    row = ledger.execute(f"insert into ops.verdict ({names}) values ({marks}) returning verdict_id", fields).fetchone()
    return Verdict(row[0], **{name: value for name, value in vars(verdict).items() if name != "verdict_id"})


class _Engine:
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

    def __enter__(self) -> "_Engine":
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
                    f"{subject.schema}.{subject.relation}",
                    table_name=subject.relation,
                    schema_name=subject.schema,
                )
        except TestConnectionError:
            problem = f"relation {subject.schema}.{subject.relation} is missing or not readable"
            return [_result(i, expectation, None, problem) for i, expectation in enumerate(suite.expectations)]
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        found = batch.validate(self._suite(suite), result_format=RESULT_FORMAT)
        by_place = {result.expectation_config.meta["place"]: result for result in found.results}
        return [_result(i, expectation, by_place.get(i)) for i, expectation in enumerate(suite.expectations)]

    def _suite(self, suite: Suite) -> Any:
        from great_expectations.expectations.registry import get_expectation_impl

        rules = [
            get_expectation_impl(e.type)(**e.kwargs, meta={"place": place})
            for place, e in enumerate(suite.expectations)
        ]
        return self.gx.ExpectationSuite(name=suite.name, expectations=rules)


def _result(place: int, expectation: Expectation, outcome: Any | None, problem: str | None = None) -> dict[str, Any]:
    if problem is None and (outcome is None or _raised(outcome.exception_info)):
        problem = "the expectation could not be evaluated: check that its columns exist and have the right type"
    public = {"column", "column_A", "column_B", "column_list", "value_set"}
    return {
        "place": place,
        "expectation": expectation.type,
        "column": ", ".join(expectation.columns) or None,
        "kwargs": {name: value for name, value in expectation.kwargs.items() if name not in public},
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
