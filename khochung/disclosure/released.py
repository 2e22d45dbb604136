"""The ledger of every cell ever released: `ops.released_cell`, which nothing takes a row from.

A row says what the public was told of a cell from a version on; a later version that says the same adds none. It is
written from the published files, when a release has become public and again, for what a kill left out, before the next:
what lies in the tree and not in the ledger is entered. A withdrawn version stays.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from khochung.disclosure.audit import Table
from khochung.disclosure.cells import Cell, Rules, cells_of

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Edition:
    """One version in a public tree: its rules and its cells."""

    slug: str
    version: str
    as_of: str
    rules: Rules
    cells: tuple[Cell, ...]


def editions(tree: Path) -> Iterator[Edition]:
    """Every version in a public tree that protects something, oldest first, from its files alone."""
    for dataset in sorted(tree.glob("data/*/v")):
        for folder in sorted(dataset.iterdir(), key=_order):
            edition = read_edition(folder)
            if edition is not None:
                yield edition


def _order(folder: Path) -> tuple[str, list[int]]:
    """By dataset, and by version as numbers."""
    return folder.parent.parent.name, [int(part) for part in folder.name.split(".")]


def read_edition(folder: Path) -> Edition | None:
    """The version in `folder`; None where it protects nothing, or was withdrawn."""
    slug = folder.parent.parent.name
    if not (folder / f"{slug}.csv").is_file():
        return None
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    statement = json.loads((folder / "disclosure.json").read_text(encoding="utf-8"))
    rules = Rules.parse(statement["rules"]) if "rules" in statement else _rules_before(slug, statement, package)
    if rules is None or not rules.protects:
        return None
    with (folder / f"{slug}.csv").open(encoding="utf-8", newline="") as stream:
        names, *rows = csv.reader(stream)
    cells = tuple(cells_of(rules, names, ([value or None for value in row] for row in rows)))
    return Edition(slug, folder.name, package["created"][:10], rules, cells)


def _rules_before(slug: str, statement: dict[str, Any], package: dict[str, Any]) -> Rules | None:
    """The rules of a version that does not state them: exact counts, small ones withheld."""
    policy = statement["policy"]
    if policy["method"] == "none":
        return None
    fields = next(resource["schema"]["fields"] for resource in package["resources"] if "schema" in resource)
    names = {field["name"] for field in fields}
    keys = tuple(field["name"] for field in fields if field["role"] == "key")
    measures = tuple(name for name in sorted(names) if f"{name}_suppressed" in names)
    plain = ("suppression", policy["unit"], policy["threshold"], 0, "withheld", None)
    return Rules(slug, *plain, keys, measures, {}, ())


def record(connection: Connection, edition: Edition) -> int:
    """Enter a version, in one transaction; returns how many cells it says something new of. Known versions add none."""
    with connection.transaction():
        fresh = connection.execute(
            "insert into ops.released_version (dataset, version, as_of, rules, cells) values (%s, %s, %s, %s, %s) "
            "on conflict do nothing returning 1",
            [
                edition.slug, edition.version, edition.as_of, json.dumps(edition.rules.record(), ensure_ascii=False),
                len(edition.cells),
            ],
        ).fetchone()  # fmt: skip
        if fresh is None:
            return 0
        known = known_table(connection, edition.rules).cells
        told = [cell for cell in edition.cells if known.get((cell.measure, cell.at)) != cell]
        with connection.cursor().copy(
            "copy ops.released_cell (dataset, version, vintage, measure, coordinates, value, low, high) from stdin"
        ) as copy:
            for cell in told:
                low, high = edition.rules.tells(cell.value)
                at = json.dumps(dict(cell.at), ensure_ascii=False)
                copy.write_row(
                    (edition.slug, edition.version, edition.rules.vintage, cell.measure, at, cell.value, low, high)
                )
        return len(told)


def catch_up(connection: Connection, tree: Path) -> int:
    """Enter every version of a public tree that the ledger misses; returns how many."""
    known = {
        (slug, version) for slug, version in connection.execute("select dataset, version from ops.released_version")
    }
    count = 0
    for folder in sorted(tree.glob("data/*/v/*"), key=_order):
        if (folder.parent.parent.name, folder.name) not in known:
            edition = read_edition(folder)
            if edition is not None:
                record(connection, edition)
                count += 1
    return count


def known_table(connection: Connection, rules: Rules) -> Table:
    """Every word on every cell of a dataset in one list of places."""
    table = Table(rules)
    query = (
        "select measure, coordinates, value from ops.released_cell "
        "where dataset = %s and vintage is not distinct from %s order by cell_id"
    )
    for measure, coordinates, value in connection.execute(query, [rules.slug, rules.vintage]):
        at = tuple((name, coordinates.get(name, "")) for name in rules.keys)  # jsonb has an order of its own
        table.hear(Cell(measure, at, None if value is None else float(value)))
    return table


def tables(connection: Connection) -> dict[str, Table]:
    """What the public was told up to now, by dataset and list of places."""
    newest = connection.execute(
        "select distinct on (dataset, rules ->> 'vintage') rules from ops.released_version "
        "order by dataset, rules ->> 'vintage', recorded_at desc"
    ).fetchall()
    found = {}
    for (record_,) in newest:
        rules = Rules.parse(record_)
        found[name_of(rules)] = known_table(connection, rules)
    return found


def name_of(rules: Rules) -> str:
    """The name of a table among others: the dataset, and its list of places where it has one."""
    return f"{rules.slug}@{rules.vintage}" if rules.vintage else rules.slug
