"""Which values of a build are withheld: those that would tell of single holders, and those that hide them.

Runs between marts and open data. A dataset whose method is `dominance` has two keys and an intermediate model
`int_disclosure__<model>` with its values and how much each secret one needs to be hidden. Sums by either key are taken to
be known: the yearbook has the land of a commune and that of a type, whoever publishes them.
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from khochung import contract, warehouse
from khochung.contract import Dataset
from khochung.disclosure.cover import CellKey, Secret, cover
from khochung.errors import ContractError
from khochung.settings import Settings

Connection = psycopg.Connection[tuple[object, ...]]


def choose(settings: Settings, build_id: int, datasets: Mapping[str, Dataset] | None = None) -> int:
    """Write the cells to withhold to `ops.withheld_cell`; returns how many. Safe to repeat.

    What an earlier version withheld is withheld again, and hides others; what one has published with today's value hides
    nothing, and is chosen last. Raises ContractError for a dataset that does not have two keys.
    """
    declared = contract.datasets() if datasets is None else datasets
    count = 0
    with warehouse.connect(settings, "transformer") as connection:
        for dataset in declared.values():
            if dataset.disclosure.method == "dominance":
                chosen = _chosen(connection, dataset)
                rows = [(build_id, dataset.slug, *cell) for cell in sorted(chosen)]
                with connection.cursor() as cursor:
                    cursor.executemany(
                        "insert into ops.withheld_cell values (%s, %s, %s, %s) on conflict do nothing", rows
                    )
                count += len(rows)
    return count


def _chosen(connection: Connection, dataset: Dataset) -> set[CellKey]:
    if len(dataset.key) != 2:
        raise ContractError(f"{dataset.slug}: method: dominance is for tables with two keys, not {len(dataset.key)}")
    keys = [sql.SQL("{}::text").format(sql.Identifier(name)) for name in dataset.key]
    query = sql.SQL("select {}, value::float8, needs::float8 from intermediate.{}").format(
        sql.SQL(", ").join(keys), sql.Identifier(f"int_disclosure__{dataset.model}")
    )
    values: dict[CellKey, float] = {}
    secrets = []
    for first, second, value, needs in connection.execute(query).fetchall():
        values[str(first), str(second)] = float(str(value))
        if needs is not None:
            secrets.append(Secret((str(first), str(second)), float(str(needs))))
    withheld, told = _before(connection, dataset)
    hidden = withheld & values.keys()
    known = {cell for cell in told.keys() - withheld if told[cell] == values.get(cell)}
    return cover(values, secrets, hidden, known) if secrets or hidden else set()


def _before(connection: Connection, dataset: Dataset) -> tuple[set[CellKey], dict[CellKey, float]]:
    """Of the first measure: the cells that any earlier version withheld, and the newest value of those it published."""
    measure = next(column.name for column in dataset.columns if column.role == "measure")
    rows = connection.execute(
        "select coordinates ->> %s, coordinates ->> %s, value::float8 from ops.released_cell "
        "where dataset = %s and measure = %s order by cell_id",
        [*dataset.key, dataset.slug, measure],
    ).fetchall()
    withheld = {(str(first), str(second)) for first, second, value in rows if value is None}
    return withheld, {
        (str(first), str(second)): float(str(value)) for first, second, value in rows if value is not None
    }
