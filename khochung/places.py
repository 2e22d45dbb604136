"""Where a contract says something: file and line, for messages."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml

from khochung.contract import DBT_PROJECT, LOADER, Column, Table


def declared_at(table: Table, columns: Iterable[Column] = ()) -> str:
    """`_land__sources.yml, line 57`: of the columns, or of the table. Only the file where it is no longer to be found."""
    lines = _lines(table.declared_in)
    wanted = [(table.source, table.name, column.name) for column in columns] or [(table.source, table.name, "")]
    found = sorted(lines[key] for key in wanted if key in lines)
    numbers = ", ".join(map(str, found))
    return f"{table.declared_in}, line{'s' if len(found) > 1 else ''} {numbers}" if found else table.declared_in


@cache
def _lines(name: str, folder: Path = DBT_PROJECT / "models" / "staging") -> dict[tuple[str, str, str], int]:
    """Source, table and column ('' for the table itself) -> line, counted from 1."""
    found: dict[tuple[str, str, str], int] = {}
    for path in folder.rglob(name):
        document = yaml.compose(path.read_text(encoding="utf-8"), Loader=LOADER)
        for source, _, tables in _named(document, "sources", "tables"):
            for table, line, columns in _named(tables, None, "columns"):
                found[source, table, ""] = line
                found |= {(source, table, column): at for column, at, _ in _named(columns, None, "")}
    return found


def _named(node: yaml.Node | None, key: str | None, inner: str) -> Iterable[tuple[str, int, yaml.Node | None]]:
    """Name, line and inner list of each entry of a list."""
    entries = _fields(node).get(key) if key else node
    for entry in entries.value if isinstance(entries, yaml.SequenceNode) else ():
        fields = _fields(entry)
        if "name" in fields:
            yield fields["name"].value, entry.start_mark.line + 1, fields.get(inner)


def _fields(node: yaml.Node | None) -> dict[str, yaml.Node]:
    return {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
