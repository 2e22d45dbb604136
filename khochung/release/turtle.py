"""JSON-LD of this package's own catalogue as Turtle: the same triples, in the same order each time."""

import json
from typing import Any


def turtle(document: dict[str, Any]) -> str:
    """The graph of a JSON-LD object with `@context` of prefixes, as `khochung.release.catalogue.dcat` makes it."""
    prefixes = document["@context"]
    lines = [f"@prefix {name}: <{iri}> ." for name, iri in prefixes.items()]
    subjects: list[str] = []
    body = {name: value for name, value in document.items() if name != "@context"}
    _subject(body, subjects)
    return "\n".join(lines) + "\n\n" + "\n".join(subjects)


def _subject(node: dict[str, Any], subjects: list[str]) -> None:
    """Append the statements about a named node; those about named nodes below it follow."""
    place = len(subjects)
    subjects.append("")
    subjects[place] = f"<{node['@id']}> {_statements(node, subjects)} .\n"


def _statements(node: dict[str, Any], subjects: list[str]) -> str:
    found = []
    for name, value in node.items():
        if name == "@type":
            found.append("a " + ", ".join(value if isinstance(value, list) else [value]))
        elif not name.startswith("@"):
            values = value if isinstance(value, list) else [value]
            if values:
                found.append(f"{name} " + ", ".join(_object(one, subjects) for one in values))
    return " ;\n    ".join(found)


def _object(value: Any, subjects: list[str]) -> str:
    if isinstance(value, str):
        return _literal(value)
    if "@value" in value:
        tail = f"@{value['@language']}" if "@language" in value else ""
        return _literal(value["@value"]) + tail + (f"^^{value['@type']}" if "@type" in value else "")
    if "@id" in value:
        if len(value) > 1:
            _subject(value, subjects)
        return f"<{value['@id']}>"
    return f"[ {_statements(value, subjects)} ]"


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
