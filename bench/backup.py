"""A backup and its restore, compared row by row, against `pg_dump | psql` of the same schemas.

The warehouse holds a table of SCALE × 3 million rows as the loader makes it, with its key, and nothing else. Ours is the time
to write an encrypted backup, to read it into an empty database of the same server and to compare both; the floor writes
nothing down, encrypts nothing and compares nothing.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.figures import Figure, figure, fresh_warehouse, median_pair
from khochung import postgres, warehouse
from khochung.ops import backup as backups
from khochung.settings import Settings

ROWS = 3_000_000
ROUNDS = 3
FILL = """
    create table raw.bench_resident as
    select
        'DC' || lpad(cast(i as text), 9, '0') as record_id,
        '0' || lpad(cast((cast(i as bigint) * 7919) % 100000000000 as text), 11, '0') as personal_id,
        md5(cast(i as text)) as surname, md5(cast(-i as text)) as given_name, cast(1930 + i % 95 as text) as birth_year,
        lpad(cast(25000 + i % 3000 as text), 5, '0') as permanent_commune, cast(i % 3 as text) as sex_code,
        timestamptz '2025-01-01' + i * interval '1 second' as updated_at, 1 as _load_id, now() as _loaded_at
    from generate_series(1, {rows}) as i;
    alter table raw.bench_resident add primary key (record_id)
"""
ELSEWHERE = "bench_elsewhere"


def figures(settings: Settings) -> Iterator[Figure]:
    """Rows per second, there and back."""
    rows = int(ROWS * float(os.environ.get("SCALE", "1")))
    fresh_warehouse(settings)
    with warehouse.connect(settings, "loader") as connection:
        connection.execute(FILL.format(rows=rows).encode())
    folder = settings.home / "backup"
    try:
        pairs = [(rows / _ours(settings, folder), rows / _floor(settings)) for _ in range(ROUNDS)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _database(settings, "drop database if exists {} with (force)")
    yield figure("backup and verified restore", "rows/s", *median_pair(pairs), "pg_dump | psql", 0.5)


def _ours(settings: Settings, folder: Path) -> float:
    there = replace(settings, home=folder / "home", warehouse_dsn=postgres.admin_dsn(settings, ELSEWHERE))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    recipient = backups.new_identity(folder / "identity")
    _database(settings, "drop database if exists {} with (force)")
    _database(settings, "create database {}")
    began = time.perf_counter()
    made = backups.backup(settings, folder, recipient, say=_nothing)
    backups.restore(there, made, folder / "identity", say=_nothing)
    return time.perf_counter() - began


def _floor(settings: Settings) -> float:
    _database(settings, "drop database if exists {} with (force)")
    _database(settings, "create database {}")
    schemas = " ".join(f"--schema={name}" for name in backups.SCHEMAS)
    tools = postgres.binaries()
    dump = f"{tools}/pg_dump {schemas} '{postgres.admin_dsn(settings, warehouse.DATABASE)}'"
    load = f"{tools}/psql --quiet --output=/dev/null '{postgres.admin_dsn(settings, ELSEWHERE)}'"
    began = time.perf_counter()
    subprocess.run(["sh", "-c", f"{dump} | {load}"], check=True)
    return time.perf_counter() - began


def _database(settings: Settings, statement: str) -> None:
    with warehouse.connect(settings, autocommit=True) as connection:
        connection.execute(statement.format(ELSEWHERE).encode())


def _nothing(_: str) -> None:
    """A measurement is told nothing."""
