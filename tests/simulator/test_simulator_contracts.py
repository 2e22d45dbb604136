"""The simulator delivers exactly what the source contracts of the pipeline ask for, field by field."""

from pathlib import Path

import pytest
import yaml

from simulator import layouts, province, wire
from simulator.landdb import column_type

STAGING = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "staging"


def contract(source: str, table: str) -> dict:  # type: ignore[type-arg]
    document = yaml.safe_load((STAGING / source / f"_{source}__sources.yml").read_text(encoding="utf-8"))
    tables = document["sources"][0]["tables"]
    return next(t for t in tables if t["name"] == table)  # type: ignore[no-any-return]


def wanted(source: str, table: str) -> dict[str, str]:
    columns = contract(source, table)["columns"]
    return {c["name"]: c["config"]["meta"].get("path", c["name"]) for c in columns}


@pytest.mark.parametrize("layout", wire.ALL, ids=lambda item: item.identifier)
def test_fields_and_keys(layout: layouts.Layout) -> None:
    assert layout.fields == wanted(layout.source, layout.table)
    meta = contract(layout.source, layout.table)["config"]["meta"]
    assert list(layout.key) == meta["key"]
    assert meta["path"].startswith(layout.path)


@pytest.mark.parametrize("layout", layouts.LAND_LAYOUTS, ids=lambda item: item.identifier)
def test_land_types(layout: layouts.Layout) -> None:
    types = {c["name"]: c["data_type"] for c in contract(layout.source, layout.table)["columns"]}
    assert {name: column_type(name) for name in layout.fields} == types


def test_code_lists_of_units() -> None:
    assert list(wanted("admin", "unit").values()) == list(province.load().rows("units.csv")[0])
    assert list(wanted("admin", "unit_change").values()) == list(province.load().rows("unit_change.csv")[0])


def test_all_tables_are_simulated() -> None:
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in STAGING.glob("*/_*__sources.yml")]
    declared = {
        (source["name"], table["name"])
        for document in documents
        for source in document["sources"]
        if "folder" not in source["config"]["meta"]  # reviewed files are nobody's system
        for table in source["tables"]
    }
    played = {(layout.source, layout.table) for layout in wire.ALL} | {("admin", "unit"), ("admin", "unit_change")}
    assert played == declared
