"""Messages name the line of a contract that is to be changed."""

from khochung import contract
from khochung.extract import missing_columns
from khochung.places import declared_at
from tests.ingest.toy_source import make_source


def test_every_column_of_every_contract_is_found_on_its_line() -> None:
    folder = contract.DBT_PROJECT / "models" / "staging"
    for source in contract.sources().values():
        for table in source.tables:
            lines = (folder / source.name / table.declared_in).read_text(encoding="utf-8").splitlines()
            for column in table.columns:
                number = int(declared_at(table, [column]).rpartition(" ")[2])
                assert f"name: {column.name}," in lines[number - 1] or lines[number - 1].endswith(
                    f"name: {column.name}"
                )
            assert lines[int(declared_at(table).rpartition(" ")[2]) - 1].strip() == f"- name: {table.name}"


def test_a_missing_column_is_named_with_its_line() -> None:
    table = contract.source("land").tables[0]
    first, second = table.columns[:2]
    error = str(missing_columns(table, [first.path, second.path], "the database"))
    assert declared_at(table, [first]).rpartition(" ")[2] in error
    assert "lines" in error


def test_what_is_not_to_be_found_has_no_line() -> None:
    _, table = make_source("toy", "database")
    assert declared_at(table, table.columns) == "_toy__sources.yml"
