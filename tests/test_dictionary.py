"""The committed data dictionary says what the declarations say."""

from pathlib import Path

from khochung import contract, dictionary
from khochung.settings import REPOSITORY


def test_the_committed_pages_are_those_of_the_declarations(tmp_path: Path) -> None:
    for page in dictionary.write(tmp_path):
        committed = REPOSITORY / dictionary.FOLDER / page.name
        assert committed.read_text(encoding="utf-8") == page.read_text(encoding="utf-8"), (
            f"{page.name} is stale: run `khochung docs` and commit it"
        )


def test_every_column_has_a_line() -> None:
    lines = dictionary.sources_page().count("\n| `") + dictionary.datasets_page().count("\n| `")
    tables = [table for source in contract.sources().values() for table in source.tables]
    assert lines == sum(len(item.columns) for item in [*tables, *contract.datasets().values()])


def test_a_bar_in_a_text_does_not_break_the_table() -> None:
    grid = dictionary._grid(["a", "b"], [["x|y", "z"]])
    assert grid.splitlines()[2] == "| x\\|y | z |"
