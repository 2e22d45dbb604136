"""The catalogue: what is misspelt is refused with its place, and wording changes nothing."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from khochung import contract
from khochung.errors import ContractError

COLUMN = {"name": "id", "data_type": "text", "description": "Key.", "config": {"meta": {"privacy": "none"}}}


def source(**changes: Any) -> dict[str, Any]:
    """A source entry that is right; `table`, `column` and `meta` change one part of it."""
    table = {
        "name": "thing",
        "identifier": "toy__thing",
        "description": "Things.",
        "config": {"meta": {"path": "thing", "load": "snapshot", "key": ["id"]} | changes.get("table_meta", {})},
        "columns": [COLUMN | changes.get("column", {}), *changes.get("more_columns", [])],
    }
    meta = {
        "title_vi": "Nguồn thử",
        "connector": "files",
        "owner_agency": "Sở Thử",
        "schedule": "0 0 * * *",
        "fresh_within_hours": 36,
        "legal_basis": "none",
    }
    body = {"name": "toy", "schema": "raw", "description": "Toy.", "config": {"meta": meta | changes.get("meta", {})}}
    return body | {"tables": [table | changes.get("table", {})] * changes.get("times", 1)} | changes.get("top", {})


def read(folder: Path, *entries: dict[str, Any]) -> dict[str, contract.Source]:
    content = yaml.safe_dump({"version": 2, "sources": list(entries)}, allow_unicode=True)
    (folder / "_toy__sources.yml").write_text(content, encoding="utf-8")
    contract.sources.cache_clear()
    return contract.sources(folder)


def test_a_contract_that_is_right(tmp_path: Path) -> None:
    table = read(tmp_path, source())["toy"].table("thing")
    assert (table.relation, table.columns[0].path, table.declared_in) == ("toy__thing", "id", "_toy__sources.yml")


LATER = COLUMN | {"name": "later", "data_type": "timestamptz"}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key of a source": ({"top": {"onwer": "x"}}, ": unknown key onwer; allowed: .*name"),
    "unknown setting of a source": ({"meta": {"shedule": "x"}}, " .*\n  shedule: Extra"),
    "unknown key of a table": ({"table": {"colums": []}}, ", table thing: unknown key colums"),
    "unknown setting of a table": ({"table_meta": {"floor": 1}}, r"tables\.0\.floor: Extra"),
    "unknown key of a column": ({"column": {"datatype": "text"}}, r"tables\.0\.columns\.0\.datatype: Extra"),
    "unknown type": ({"column": {"data_type": "varchar"}}, r"tables\.0\.columns\.0\.data_type: Input should be"),
    "no privacy class": ({"column": {"config": {}}}, r"tables\.0\.columns\.0\.privacy: Field required"),
    "no key": ({"table_meta": {"key": []}}, r"tables\.0\.key: .*at least 1"),
    "no schedule": ({"meta": {"schedule": None}}, "schedule: Input should be a valid string"),
    "no tables": ({"top": {"tables": None}}, "tables: .*at least 1"),
    "a key that is no column": ({"table_meta": {"key": ["nope"]}}, "key names nope, which is no column of toy.thing"),
    "a cursor that is no column": (
        {"table_meta": {"load": "cursor", "cursor": "nope"}},
        "cursor names nope, which is no column of toy.thing",
    ),
    "a load by cursor without one": ({"table_meta": {"load": "cursor"}}, "toy.thing: load: cursor needs `cursor:`"),
    "a cursor without a load by it": (
        {"table_meta": {"cursor": "later"}, "more_columns": [LATER]},
        "toy.thing: load: cursor needs `cursor:`, and only it does",
    ),
    "a column twice": ({"more_columns": [COLUMN]}, "a column of toy.thing is declared twice"),
    "a table twice": ({"times": 2}, "a table of toy is declared twice"),
    "a share above one": ({"table_meta": {"row_floor": 90}}, r"tables\.0\.row_floor: .*less than or equal to 1"),
    "a name that is SQL": ({"column": {"name": 'id"; drop'}}, r"tables\.0\.columns\.0\.name: .*match pattern"),
    "another identifier": ({"table": {"identifier": "thing"}}, "table thing: identifier must be <source>__<table>"),
    "a name that would be cut off": (
        {"table": {"name": "t" * 50, "identifier": f"toy__{'t' * 50}"}},
        "__history is longer than 63 letters",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_with_its_file_and_entry(tmp_path: Path, case: str) -> None:
    changes, match = WRONG[case]
    with pytest.raises(ContractError, match=rf"(?s)^_toy__sources\.yml: source toy.*{match}"):
        read(tmp_path, source(**changes))


def test_every_fault_of_an_entry_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        read(tmp_path, source(column={"data_type": "varchar"}, meta={"connector": "ftp"}))
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("sources: [", "_toy__sources.yml: this is not YAML"),
        ("- name: toy", "_toy__sources.yml: expected keys"),
        ("", "no source"),
    ],
)
def test_files_that_are_no_contract(tmp_path: Path, content: str, match: str) -> None:
    (tmp_path / "_toy__sources.yml").write_text(content, encoding="utf-8")
    contract.sources.cache_clear()
    with pytest.raises(ContractError, match=match):
        contract.sources(tmp_path)


def test_a_source_twice_and_an_unknown_one(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"_toy__sources\.yml: source toy is declared twice"):
        read(tmp_path, source(), source())
    with pytest.raises(ContractError, match=r"no source nope: known are .*population"):
        contract.source("nope")
    with pytest.raises(ContractError, match="source toy has no table nope: it has thing"):
        read(tmp_path, source())["toy"].table("nope")


def test_wording_does_not_change_the_identity_of_a_table(tmp_path: Path) -> None:
    def identity(**changes: Any) -> str:
        return read(tmp_path, source(**changes))["toy"].tables[0].sha256

    plain = identity()
    assert identity(table={"description": "Other words."}, column={"description": "Other words."}) == plain
    assert identity(top={"description": "Other words."}, meta={"title_vi": "Tên khác"}) == plain
    for change in (
        {"table_meta": {"delete_guard": 0.2}},
        {"column": {"data_type": "integer"}},
        {"column": {"config": {"meta": {"privacy": "none", "path": "ma"}}}},
        {"more_columns": [LATER]},
    ):
        assert identity(**change) != plain


@pytest.mark.parametrize("name", contract.sources())
def test_every_contract_of_the_project(name: str) -> None:
    """Wording apart, two tables never share an identity; a table of files says how they are written."""
    declared = contract.sources()[name]
    assert len({table.sha256 for table in declared.tables}) == len(declared.tables)
    for table in declared.tables:
        assert (table.format is not None) == (declared.connector == "files"), table.relation
        reworded = table.model_copy(
            update={
                "description": "x",
                "declared_in": "x",
                "columns": tuple(column.model_copy(update={"description": "x"}) for column in table.columns),
            }
        )
        assert reworded.sha256 == table.sha256
