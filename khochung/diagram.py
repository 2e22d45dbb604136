"""The entity diagram of the marts: Mermaid, drawn from the relationships tests that dbt runs with each build.

`docs/entity-diagram.md` is committed, and a test holds it to the declarations.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path("docs") / "entity-diagram.md"
HEAD = """<!-- Written by `khochung docs` from the relationships tests in dbt_project/models: correct those. -->

# Entity diagram

What refers to what in `marts` and `kpi`. Each line is a test that runs with every build: `many }o--|| one : column`. Keys
only; all columns are in `\\d+`, and in `make docs`. Bridges join two lists, with dates or weights: read their description
before summing over them.
"""
SCHEMAS = ("marts", "kpi")
Manifest = dict[str, Any]


def page(manifest: Manifest) -> str:
    """The whole page, one diagram per subject (the folder of the referring model)."""
    models = {
        name: node
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["schema"] in SCHEMAS
    }
    subjects: dict[str, list[tuple[str, str, str, str]]] = defaultdict(list)
    for source, column, target, key in _references(manifest, models):
        subjects[models[source]["fqn"][-2]].append((models[source]["name"], column, models[target]["name"], key))
    loose = sorted(
        {node["name"] for node in models.values()} - {name for lines in subjects.values() for name in _named(lines)}
    )
    blocks = [HEAD, *(_section(subject, sorted(lines)) for subject, lines in sorted(subjects.items()))]
    if loose:
        blocks.append("## Without references\n\n" + ", ".join(f"`{name}`" for name in loose) + "\n")
    return "\n".join(blocks)


def _references(manifest: Manifest, models: Manifest) -> Iterator[tuple[str, str, str, str]]:
    """Referring model, its column, model referred to, key there: ids of nodes. Only between the given models."""
    for test in manifest["nodes"].values():
        if test["resource_type"] == "test" and (test.get("test_metadata") or {}).get("name") == "relationships":
            source = test["attached_node"]
            target = next((node for node in test["depends_on"]["nodes"] if node != source), source)
            if source in models and target in models:
                yield source, test["column_name"], target, test["test_metadata"]["kwargs"]["field"]


def _section(subject: str, lines: list[tuple[str, str, str, str]]) -> str:
    keys: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for source, column, target, key in lines:
        keys[source].add((column, "FK"))
        keys[target].add((key, "PK"))
    boxes = [f"    {name} {{\n{_columns(columns)}    }}" for name, columns in sorted(keys.items())]
    arrows = [f'    {source} }}o--|| {target} : "{column}"' for source, column, target, _ in lines]
    return "\n".join([f"## {subject}\n", "```mermaid", "erDiagram", *boxes, *arrows, "```\n"])


def _columns(columns: set[tuple[str, str]]) -> str:
    names = sorted({name for name, _ in columns})
    return "".join(
        f"        key {name} {','.join(sorted(kind for each, kind in columns if each == name))}\n" for name in names
    )


def _named(lines: list[tuple[str, str, str, str]]) -> set[str]:
    return {name for source, _, target, _ in lines for name in (source, target)}
