"""`make bench`: prints a table and writes `.khochung/bench.json`. `SCALE` sets the size (1: two million parcels)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import psycopg
from rich.console import Console
from rich.table import Table as Grid

from khochung import contract, ingest, postgres, services, warehouse
from khochung.settings import Settings

AS_OF = "2025-09-30"


@dataclass(frozen=True)
class Figure:
    """One measurement beside its floor. ratio = value / floor; `target` is the least ratio that satisfies."""

    name: str
    unit: str
    value: float
    floor: float
    floor_name: str
    ratio: float
    target: float
    met: bool


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def copy_between(source: str, target: str) -> int:
    """The floor: the same table by binary COPY from one connection into another. Returns its rows."""
    with psycopg.connect(source) as reader, psycopg.connect(target) as writer:
        kinds = reader.execute(
            "select string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum) "
            "from pg_attribute where attrelid = 'mplis.dc_thua_dat'::regclass and attnum > 0 and not attisdropped"
        ).fetchone()
        writer.execute(f"create temp table floor ({kinds[0] if kinds else ''})")
        with (
            reader.cursor().copy("copy mplis.dc_thua_dat to stdout (format binary)") as out,
            writer.cursor().copy("copy floor from stdin (format binary)") as into,
        ):
            for block in out:
                into.write(block)
        row = writer.execute("select count(*) from floor").fetchone()
        return int(row[0]) if row else 0


def figures(settings: Settings) -> list[Figure]:
    """The land register from its own database: floor, first load, the same again."""
    land = postgres.admin_dsn(settings, "land_source")
    os.environ["KHOCHUNG_SOURCE_LAND_DSN"] = land
    source = contract.source("land")
    table = source.table("parcel")
    day = settings.business_date()

    def take() -> None:
        for _ in ingest.ingest_table(settings, source, table, day):
            pass

    rows = copy_between(land, postgres.admin_dsn(settings, warehouse.DATABASE))
    floor = rows / seconds(lambda: copy_between(land, postgres.admin_dsn(settings, warehouse.DATABASE)))
    first_s = seconds(take)
    again_s = seconds(take)
    return [
        _figure("land.parcel, first load", "rows/s", rows / first_s, floor, "binary COPY between two connections", 0.5),
        _figure("land.parcel, next read by cursor", "s", again_s, first_s, "first load", 0.05, most=True),
    ]


def _figure(
    name: str, unit: str, value: float, floor: float, floor_name: str, target: float, most: bool = False
) -> Figure:
    ratio = value / floor
    return Figure(name, unit, value, floor, floor_name, ratio, target, ratio <= target if most else ratio >= target)


def main() -> None:
    home = Settings.from_environment().home
    settings = replace(Settings.from_environment(), home=home / "bench")
    scale = float(os.environ.get("SCALE", "0.1"))
    console = Console(highlight=False)
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / "as_of").write_text(AS_OF, encoding="utf-8")
    try:
        services.start_postgres(settings)
        with warehouse.connect(settings) as connection:
            connection.execute("drop table if exists raw.land__parcel, raw.land__parcel__history")
            connection.execute("truncate ops.load, ops.watermark cascade")
        console.print(f"… a land register of scale {scale:g}")
        land = postgres.admin_dsn(settings, "land_source")
        where = ["--home", str(settings.home / "simulator"), "--land-dsn", land]
        command = [sys.executable, "-m", "simulator", "build", "--scale", str(scale), "--as-of", AS_OF, *where]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = figures(settings)
    finally:
        postgres.stop(settings)
    grid = Grid("what", "value", "floor", "ratio", "target", "met")
    for item in found:
        value, floor = f"{item.value:,.1f} {item.unit}", f"{item.floor:,.1f} ({item.floor_name})"
        grid.add_row(item.name, value, floor, f"{item.ratio:.2f}", f"{item.target:g}", "yes" if item.met else "no")
    console.print(grid)
    target = home / "bench.json"
    target.write_text(json.dumps([asdict(item) for item in found], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
