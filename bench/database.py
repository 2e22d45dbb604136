"""A PostgreSQL source: the parcels of the land register, from the source's table to landed Parquet and merged `raw`.

Floor: the same table by `psql | psql` binary COPY. Peer: dlt's `sql_database` with its pyarrow backend, in an environment
of its own.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from bench import loading
from bench.figures import Figure, Outcome, figure, fresh_warehouse, in_child, median_pair
from khochung import contract, postgres, warehouse
from khochung.settings import REPOSITORY, Settings

TABLE = "mplis.dc_thua_dat"
COPY = "dc_thua_dat_khac"  # the register at another size
DLT = REPOSITORY / "bench" / "dlt"
CHANGED, ROUNDS = 0.01, 3


def figures(settings: Settings) -> Iterator[Figure]:
    """The first load beside its floor and its peer, then the same table again: by its cursor, unchanged, 1 % changed."""
    os.environ["KHOCHUNG_SOURCE_LAND_DSN"] = postgres.admin_dsn(settings, "land_source")
    rounds = [_round(settings) for _ in range(ROUNDS)]
    rate, floor = median_pair([(each.first.rows_per_second, each.floor) for each in rounds])
    yield figure("land.parcel, first load", "rows/s", rate, floor, "psql | psql, binary COPY", 0.5)
    for name, target in (
        ("next read by its cursor", 0.05),
        ("all again, unchanged", 0.35),
        ("all again, 1 % changed", 0.35),
    ):
        pair = median_pair([(each.later[name].seconds, each.first.seconds) for each in rounds])
        yield figure(f"land.parcel, {name}", "s", *pair, "first load", target, at_most=True)
    yield figure("land.parcel, first load", "rows/s", rate, _dlt(settings), "dlt sql_database, pyarrow", 5)
    for rows in (200_000, 4_000_000):
        _copy_of(settings, rows)
        peak = in_child(take_copy, str(rows))
        yield figure(f"land.parcel, {rows / 1e6:g} M rows: peak", "MB", peak.peak_mb, 400, "allowed", 1, at_most=True)


@dataclass(frozen=True)
class Round:
    """One run of everything that is compared, in turn. floor: rows per second."""

    floor: float
    first: Outcome
    later: dict[str, Outcome]


def _round(settings: Settings) -> Round:
    fresh_warehouse(settings)
    floor, first, later = _floor(settings), in_child(take, "2025-09-30"), {}
    later["next read by its cursor"] = in_child(take, "2025-09-30")
    for day in ("2025-10-01", "2025-10-02"):  # the second time it is read whole its checksum is asked for
        in_child(take_all, day)
    later["all again, unchanged"] = in_child(take_all, "2025-10-03")
    _change(settings)
    later["all again, 1 % changed"] = in_child(take_all, "2025-10-04")
    return Round(floor, first, later)


def take(day: str) -> int:
    """Extract and load the parcels as the DAG does. Returns the rows read."""
    return loading.take(contract.source("land").table("parcel"), day)


def take_all(day: str) -> int:
    """The same with the watermark forgotten, so that every row is read and compared."""
    with warehouse.connect(Settings.from_environment()) as connection:
        connection.execute("delete from ops.watermark")
    return take(day)


def take_copy(rows: str) -> int:
    """The copy of the register at another size, into a table of its own."""
    changes = {"name": f"parcel_{rows}", "path": f"mplis.{COPY}"}
    return loading.take(contract.source("land").table("parcel").model_copy(update=changes), "2025-09-30")


def _floor(settings: Settings) -> float:
    """Rows per second of `psql | psql` into a table without a key."""
    psql = str(postgres.binaries() / "psql")
    target = postgres.admin_dsn(settings, warehouse.DATABASE)
    with psycopg.connect(postgres.admin_dsn(settings, "land_source")) as source, psycopg.connect(target) as warehouse_:
        columns = source.execute(
            "select string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum) "
            f"from pg_attribute where attrelid = '{TABLE}'::regclass and attnum > 0 and not attisdropped"
        ).fetchone()
        warehouse_.execute("drop table if exists public.floor")
        warehouse_.execute(f"create table public.floor ({columns[0] if columns else ''})")
    began = time.perf_counter()
    out = [psql, "-qX", postgres.admin_dsn(settings, "land_source"), "-c", f"copy {TABLE} to stdout (format binary)"]
    into = [psql, "-qX", target, "-c", "copy public.floor from stdin (format binary)"]
    with subprocess.Popen(out, stdout=subprocess.PIPE) as reader:
        subprocess.run(into, stdin=reader.stdout, check=True)
    seconds = time.perf_counter() - began
    with psycopg.connect(target) as connection:
        row = connection.execute("select count(*) from public.floor").fetchone()
        connection.execute("drop table public.floor")
    return (row[0] if row else 0) / seconds


def _change(settings: Settings) -> None:
    """One parcel in a hundred gets another legal area."""
    with psycopg.connect(postgres.admin_dsn(settings, "land_source")) as connection:
        connection.execute(
            f"update {TABLE} set dien_tich_phap_ly = coalesce(dien_tich_phap_ly, '0') || '1' where random() < {CHANGED}"
        )


def _copy_of(settings: Settings, rows: int) -> None:
    """The register cut or repeated to so many rows."""
    with psycopg.connect(postgres.admin_dsn(settings, "land_source")) as connection:
        connection.execute(f"drop table if exists mplis.{COPY}")
        connection.execute(f"create table mplis.{COPY} as select * from {TABLE} limit {rows}")
        while True:
            held = connection.execute(f"select count(*) from mplis.{COPY}").fetchone()
            missing = rows - (held[0] if held else 0)
            if missing <= 0:
                return
            rest = ", ".join(_columns(connection)[1:])
            connection.execute(
                f"insert into mplis.{COPY} select gen_random_uuid(), {rest} from {TABLE} limit {missing}"
            )


def _columns(connection: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    described = connection.execute(f"select * from {TABLE} limit 0").description or ()
    return [column.name for column in described]


def _dlt(settings: Settings) -> float:
    """Rows per second of dlt over the same table, in its own environment made for this once."""
    place = settings.home / "dlt"
    if not (place / "bin" / "python").exists():
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", str(place), "--python", sys.executable], check=True)
        install = [*uv, "pip", "install", "--python", str(place / "bin" / "python")]
        subprocess.run([*install, "--requirements", str(DLT / "requirements.txt")], check=True)
    addresses = [_alchemy(postgres.admin_dsn(settings, name)) for name in ("land_source", warehouse.DATABASE)]
    work = settings.home / "dlt-work"
    shutil.rmtree(work, ignore_errors=True)
    done = subprocess.run(
        [str(place / "bin" / "python"), str(DLT / "peer.py"), *addresses, str(work)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"},
    )
    rows, seconds = done.stdout.split()[-2:]
    return int(rows) / float(seconds)


def _alchemy(dsn: str) -> str:
    """dlt insists on a host and a password; the socket's folder overrides the one, trust ignores the other."""
    return dsn.replace("postgresql://postgres@/", "postgresql://postgres:unused@localhost/")
