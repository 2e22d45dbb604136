"""Suites: the reviewed rules, as JSON under `expectations/`, and what they are about.

`sources/<source>__<table>.json` accepts a delivery, `open_data/<slug>.json` judges a dataset, `warehouse/<topic>.json`
holds tables against each other and names the datasets that it blocks.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from khochung import contract, province
from khochung.errors import GateError
from khochung.settings import Settings
from khochung.strict import Strict

Severity = Literal["critical", "warning", "info"]
Scope = Literal["source", "warehouse", "dataset"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
FOLDERS: dict[Scope, str] = {"source": "sources", "warehouse": "warehouse", "dataset": "open_data"}

_COLUMN = ({"column"}, {"mostly"})
_RANGE = {"min_value", "max_value"}
QUERY = "expect_query_value_to_be_between"
LAST_ROWS = "expect_last_version_row_ratio_to_be_between"
LAST_KEYS = "expect_last_version_keys_to_remain"
LAST_SHARES = "expect_last_version_shares_to_remain"
# What a suite may ask: expectation -> (required arguments, optional ones). All are evaluated in SQL.
RULES: dict[str, tuple[set[str], set[str]]] = {
    "expect_table_row_count_to_be_between": (set(), _RANGE),
    "expect_compound_columns_to_be_unique": ({"column_list"}, set()),
    "expect_column_values_to_not_be_null": _COLUMN,
    "expect_column_values_to_be_null": _COLUMN,
    "expect_column_values_to_be_unique": _COLUMN,
    "expect_column_values_to_be_in_set": ({"column", "value_set"}, {"mostly"}),
    "expect_column_values_to_match_regex": ({"column", "regex"}, {"mostly"}),
    "expect_column_values_to_not_match_regex": ({"column", "regex"}, {"mostly"}),
    "expect_column_values_to_be_between": ({"column"}, {"mostly", *_RANGE}),
    "expect_column_unique_value_count_to_be_between": ({"column"}, _RANGE),
    "expect_column_sum_to_be_between": ({"column"}, _RANGE),
    "expect_column_pair_values_a_to_be_greater_than_b": ({"column_A", "column_B"}, {"or_equal", "mostly"}),
    # One number, worked out by a reviewed query (lines of SQL): most often how many cells of two tables disagree.
    QUERY: ({"query"}, _RANGE),
    # Against the last version that was released; true before there is one (`khochung.gate.query`).
    LAST_ROWS: (set(), _RANGE),
    LAST_KEYS: ({"column_list", "min_value"}, set()),
    LAST_SHARES: ({"column", "by", "max_value"}, set()),
}
COMPARISONS = (LAST_ROWS, LAST_KEYS, LAST_SHARES)
COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list", "by")


class Meaning(Strict):
    """What an expectation says to people, in both languages, and what whoever is woken should do."""

    vi: str = Field(min_length=1)
    en: str = Field(min_length=1)
    next_steps: str = Field(min_length=1)


class Expectation(Strict):
    """One rule of a suite. `critical` blocks; `warning` and `info` are recorded and shown."""

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
    """The reviewed rules for one subject: a source table `<source>__<table>`, a dataset's slug, or a topic.

    `relation` and `datasets` are a topic's: the table that it is mainly about, and the datasets that a critical failure
    holds.
    """

    name: str
    subject: str
    severity_note: str | None = None
    relation: str | None = Field(default=None, pattern=r"^[a-z_]+\.[a-z0-9_]+$")
    datasets: tuple[str, ...] = ()
    expectations: tuple[Expectation, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Subject:
    """What is judged: a relation of the warehouse and the file that holds its suite."""

    scope: Scope
    name: str
    schema: str
    relation: str
    suite: Path


def read_suite(path: Path, subject: str) -> Suite:
    """The suite of `subject`. Raises GateError when it is missing, empty, malformed or about something else."""
    try:
        suite = Suite.model_validate(content(path))
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
    return sha256_of(content(path))


def sha256_of(value: Any) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys."""
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def content(path: Path) -> Any:
    """A suite's JSON with the bounds that the served province gives: `$communes`, `$former_province_codes`, …"""
    if not path.is_file():
        raise GateError(f"{path.stem} has no suite: write {path.parent.name}/{path.name} under expectations/")
    try:
        return province.filled(json.loads(path.read_text(encoding="utf-8")), province.served())
    except KeyError as error:
        where = f"{path.parent.name}/{path.name}"
        raise GateError(f"{where}: ${error.args[0]} is nothing that a province gives: khochung/province.py") from error


def source_subjects(
    settings: Settings, catalogue: Mapping[str, contract.Source] | None = None, folder: Path | None = None
) -> list[Subject]:
    """Every contract table, by name of its relation in schema `raw`."""
    place = folder or settings.expectations / FOLDERS["source"]
    tables = [table for source in (catalogue or contract.sources()).values() for table in source.tables]
    return [Subject("source", t.relation, "raw", t.relation, place / f"{t.relation}.json") for t in tables]


def dataset_subjects(
    settings: Settings, catalogue: Mapping[str, contract.Dataset] | None = None, folder: Path | None = None
) -> list[Subject]:
    """Every published dataset, by slug."""
    place = folder or settings.expectations / FOLDERS["dataset"]
    found = (contract.datasets() if catalogue is None else catalogue).values()
    return [Subject("dataset", d.slug, "open_data", d.model, place / f"{d.slug}.json") for d in found]


def warehouse_subjects(folder: Path) -> list[Subject]:
    """Every topic on which tables are held against each other; its suite is read to learn its relation.

    Raises GateError when a suite is malformed or names no relation or no dataset.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        suite = read_suite(path, path.stem)
        if suite.relation is None or not suite.datasets:
            raise GateError(f"{path.parent.name}/{path.name} names no relation or no datasets: say which it blocks")
        schema, relation = suite.relation.split(".")
        found.append(Subject("warehouse", suite.subject, schema, relation, path))
    return found
