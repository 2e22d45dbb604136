"""The warehouse: a full build, a day on which little changed, and the questions of the cookbook.

The province is the stand-in's, at SCALE, taken from its sources as the DAGs do it. The floor of a full build is one pass
over the same steps with nothing around them: the SQL of every table of every layer, as `create table … as`, one after the
other over one connection. It has no dbt, no seeds, no tests, no comments, no grants and no bookkeeping; views cost nothing
on either side. So the ratio says what order and proof cost, not how good the SQL of the models is.
"""

import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from psycopg import sql

from bench.cookbook import questions
from bench.figures import Figure, figure
from khochung import contract, ingest, pseudonym, services, transform, warehouse
from khochung.disclosure.cells import cells_of, rules_of
from khochung.disclosure.utility import MOST, utility
from khochung.settings import Settings

AS_OF = "2025-09-30"
CHANGED = 100  # one row of so many
# What such a row says instead. In tables that are not here the row is new and its contents are the same.
CHANGES = {
    "population__resident": [
        "permanent_since = to_char(date '2022-01-01' + abs(hashtext(record_id)) %% 1000, 'DD/MM/YYYY')"
    ],
    "population__event": ["event_date = to_char(date '2025-07-01' + abs(hashtext(event_id)) %% 90, 'DD/MM/YYYY')"],
    "land__parcel": ["dien_tich = dien_tich + 1"],
    "land__parcel_use": ["dien_tich = dien_tich + 1"],
    "land__land_right": ["so_dinh_danh = null"],
    "procedures__dossier": ["status_code = '10'", "finished_at = '20250929160000'"],
    "business__household_business": ["main_industry = '4711'"],
}
ROUNDS = 5
ANSWER_MS = 300


def figures(settings: Settings) -> Iterator[Figure]:
    """Full build against its floor, what the public does not get of it, a day with 1 % changed against the full build, each question against its limit."""
    _province(settings)
    statements, full = _build(settings)
    floor = _floor(settings, statements)
    yield figure("full build", "s", full, floor, "the models' SQL alone", 3, at_most=True)
    yield from _withheld(settings)
    yield from _answers(settings)
    _change(settings)
    yield figure("build, 1 % of the rows changed", "s", _build(settings)[1], full, "the full build", 0.10, at_most=True)


def _province(settings: Settings) -> None:
    """Fresh layers, and every source landed and loaded."""
    with warehouse.connect(settings) as connection:
        for schema in (*warehouse.SCHEMAS, "floor"):
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
        connection.execute("create schema floor authorization khochung_transformer")
    warehouse.bootstrap(settings)
    stand_in = services.simulator(settings, float(os.environ.get("SCALE", "1")), AS_OF)
    services.start(settings, stand_in)
    try:
        services.wait_ready(settings, stand_in)
        os.environ.update(services.source_environment(settings))
        for source in contract.sources().values():
            for table in source.tables:
                for _ in ingest.ingest_table(settings, source, table, settings.business_date()):
                    pass
    finally:
        services.stop(settings, stand_in.name)


def _build(settings: Settings) -> tuple[list[str], float]:
    """Every layer, as the DAG builds it: the SELECT of each table that was made, and the seconds of wall time."""
    began = time.perf_counter()
    build = transform.begin(settings)
    for layer in transform.LAYERS:
        transform.run_layer(settings, build, layer)
    transform.finish(settings, build.build_id)
    seconds = time.perf_counter() - began
    return [
        statement for layer in transform.LAYERS for statement in _tables(settings.artefacts / "dbt" / layer)
    ], seconds


def _tables(target: Path) -> Iterator[str]:
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    for result in json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]:
        node = nodes[result["unique_id"]]
        if node["resource_type"] == "model" and node["config"]["materialized"] != "view":
            yield result["compiled_code"]


def _floor(settings: Settings, statements: list[str]) -> float:
    """Seconds to make every table once more, over the relations that the build has left."""
    began = time.perf_counter()
    with warehouse.connect(settings, "transformer", options=pseudonym.connection_options(settings)) as connection:
        for number, statement in enumerate(statements):
            connection.execute(f"create table floor.model_{number} as {statement}".encode())
    seconds = time.perf_counter() - began
    with warehouse.connect(settings, "transformer") as connection:
        for number in range(len(statements)):
            connection.execute(f"drop table floor.model_{number}".encode())
    return seconds


def _withheld(settings: Settings) -> Iterator[Figure]:
    """The share of the cells of each protected dataset that the public does not get: at a small SCALE it says little."""
    datasets = contract.datasets()
    with warehouse.connect(settings, "publisher") as connection:
        for dataset in datasets.values():
            rules = rules_of(dataset, datasets)
            if rules.protects:
                names = [column.name for column in dataset.columns]
                columns = sql.SQL(", ").join(map(sql.Identifier, names))
                rows = connection.execute(
                    sql.SQL("select {} from open_data.{}").format(columns, sql.Identifier(dataset.model))
                )
                found = utility(dataset, cells_of(rules, names, rows))
                share = 100 * found.withheld / found.cells
                yield figure(f"withheld of {dataset.slug}", "%", share, 100 * MOST, "may be", 1, at_most=True)


def _answers(settings: Settings) -> Iterator[Figure]:
    """The median of each question, after VACUUM ANALYZE, which the DAG `maintenance` does every night."""
    with warehouse.connect(settings, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    with warehouse.connect(settings, "analyst") as connection:
        for question in questions():
            took = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                connection.execute(question.sql.encode()).fetchall()
                took.append(1000 * (time.perf_counter() - began))
            name = f"cookbook {question.number}: {question.en.strip('*')[:48]}"
            yield figure(name, "ms", statistics.median(took), ANSWER_MS, "may take", 1, at_most=True)


def _change(settings: Settings) -> None:
    """A day's load for every table: one row of a hundred is a new version of itself, and most say something else than before.

    The list of communes is left alone: it changes by resolution of the National Assembly, and then all is built anew.
    """
    with warehouse.connect(settings) as connection:
        columns = sql.SQL(", ").join(
            sql.Identifier(str(name))
            for (name,) in connection.execute(
                "select column_name from information_schema.columns where (table_schema, table_name) = ('ops', 'load') "
                "and is_identity = 'NO' order by ordinal_position"
            ).fetchall()
        )
        for source in contract.sources().values():
            for table in source.tables if source.name != transform.COMMUNES else ():
                row = connection.execute(
                    sql.SQL(
                        "insert into ops.load ({}) select {} from ops.load where (source_name, table_name) = (%s, %s) "
                        "order by load_id desc limit 1 returning load_id"
                    ).format(columns, columns),
                    [source.name, table.name],
                ).fetchone()
                connection.execute(
                    sql.SQL("update raw.{} set {} where hashtext(ctid::text) %% %s = 0").format(
                        sql.Identifier(table.relation),
                        sql.SQL(", ".join(["_load_id = %s", *CHANGES.get(table.relation, ())])),
                    ),
                    [row[0] if row else 0, CHANGED],
                )
