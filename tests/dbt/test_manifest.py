"""What dbt's manifest proves about the project as a whole: keys, references, severities, unit tests.

A finder is a pure function over the manifest; it returns names, and an empty list is what the test wants.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import pytest

from khochung import contract, transform
from khochung.settings import Settings

Node = dict[str, Any]
KEY_TESTS = {"unique", "unique_combination"}
# Staging passes on what raw holds under its primary key, row by row: that nothing is lost or doubled on the way is
# proven for all of it at once.
COUNTED = "test.khochung.assert_nothing_is_lost"
# A rule shows in the text of a model as one of these.
RULE = re.compile(r"\bcase\b|filter \(where|\blag\(|\blead\(|\bissue\(")
# dbt shows a unit test nothing of the project, and this one is made of all its contracts: tests/dbt/test_issue_log.py.
# Nothing is to be added here: write the test, with a named case for each branch.
WITHOUT_UNIT_TEST = {"issue_found"}


class Manifest:
    """The models, their tests and unit tests, by name."""

    def __init__(self, content: Node) -> None:
        self.nodes: dict[str, Node] = content["nodes"]
        self.models = {n["name"]: n for n in self.nodes.values() if n["resource_type"] == "model"}
        self.tests = [n for n in self.nodes.values() if n["resource_type"] == "test"]
        self.unit_tests = list(content["unit_tests"].values())
        self.of_model: dict[str, list[Node]] = defaultdict(list)
        for test in self.tests:
            if test.get("attached_node"):
                self.of_model[self.nodes[test["attached_node"]]["name"]].append(test)

    def has(self, model: str, kinds: set[str], column: str | None = None) -> bool:
        return any(
            test["test_metadata"]["name"] in kinds and (column is None or test["column_name"] == column)
            for test in self.of_model[model]
        )

    def layer(self, *schemas: str) -> Iterator[Node]:
        return (model for model in self.models.values() if model["schema"] in schemas)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return Manifest(transform.manifest(Settings(tmp_path_factory.mktemp("manifest"))))


def without_key(manifest: Manifest) -> list[str]:
    """Models whose grain nothing proves, and that do not say why they have no key. Those of a contract's records have
    `assert_records_stand_once`."""
    counted = {
        f"{step}_{table.relation}"
        for source in contract.sources().values()
        for table in source.tables
        for step in ("base", "stg")
    }
    return [
        name
        for name, model in manifest.models.items()
        if name not in counted and not manifest.has(name, KEY_TESTS) and not model["config"]["meta"].get("keyless")
    ]


def dimension_keys(manifest: Manifest) -> dict[str, str]:
    """Column that identifies the rows of a dimension -> that dimension. A day needs none to be one: the calendar begins in
    2023, and what is older lies outside."""
    return {
        column: model["name"]
        for model in manifest.layer("marts")
        if model["name"].startswith("dim_")
        for column in model["columns"]
        if column != "day" and manifest.has(model["name"], {"unique"}, column)
    }


def without_reference(manifest: Manifest) -> list[str]:
    """Columns of marts and KPIs that are keys of something else, or bear the name of a dimension's key, unproven."""
    names = set(dimension_keys(manifest))
    return [
        f"{model['name']}.{column}"
        for model in manifest.layer("marts", "kpi")
        for column in model["columns"]
        if (column.endswith("_key") or column in names)
        and not manifest.has(model["name"], {"unique"}, column)
        and not manifest.has(model["name"], {"relationships"}, column)
    ]


def without_unit_test(manifest: Manifest) -> list[str]:
    tested = {test["model"] for test in manifest.unit_tests}
    return [
        name
        for name, model in manifest.models.items()
        if name not in tested and RULE.search(re.sub(r"--.*|\{#.*?#\}", "", model["raw_code"]))
    ]


def test_every_model_has_its_key_tested(manifest: Manifest) -> None:
    assert COUNTED in manifest.nodes
    assert len(manifest.models) > 60
    assert without_key(manifest) == []


def test_every_reference_of_a_mart_is_tested(manifest: Manifest) -> None:
    assert dimension_keys(manifest).keys() >= {"commune_key", "agency_key", "procedure_code", "land_type"}
    assert without_reference(manifest) == []


def test_every_test_says_how_bad_its_failure_is(manifest: Manifest) -> None:
    """Lower case is ours, from dbt_project.yml or the test itself; dbt's own default is ERROR."""
    assert len(manifest.tests) > 150
    assert [test["name"] for test in manifest.tests if test["config"]["severity"] not in ("error", "warn")] == []
    assert [test["name"] for test in manifest.tests if not test["config"]["enabled"]] == []


def test_every_rule_has_a_unit_test_with_a_named_case(manifest: Manifest) -> None:
    found = without_unit_test(manifest)
    assert sorted(set(found) - WITHOUT_UNIT_TEST) == []
    assert sorted(WITHOUT_UNIT_TEST - set(found)) == [], "these are tested now: take them off the list"
    assert [test["name"] for test in manifest.unit_tests if not test["expect"]["rows"]] == []


def test_a_model_is_declared_in_its_own_folder(manifest: Manifest) -> None:
    """A layer is selected by folder, and the tests in a YAML file with it: elsewhere they would run before their model."""
    assert [
        name
        for name, model in manifest.models.items()
        if PurePath(model["original_file_path"]).parent.parts[: len(folder := _folder(model))] != folder
    ] == []


def _folder(model: Node) -> tuple[str, ...]:
    """Where the YAML of a model is, below the project."""
    return PurePath(model["patch_path"].split("://")[1]).parent.parts
