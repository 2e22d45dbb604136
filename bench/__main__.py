"""`make bench`: every measurement beside its floor, printed and written to `.khochung/bench.json`.

`SCALE` sets the size of the province (default 1: two million parcels, three million residents). `BENCH` names parts to
run, else all do.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace

from rich.console import Console
from rich.table import Table as Grid

from bench import backup, database, files, gate, portal, release, rest
from bench import warehouse as layers
from bench.figures import Figure, fresh_warehouse
from khochung import postgres, services
from khochung.settings import Settings

AS_OF = "2025-09-30"
PARTS: dict[str, Callable[[Settings], Iterator[Figure]]] = {
    "backup": backup.figures,
    "database": database.figures,
    "files": files.figures,
    "portal": portal.figures,
    "gate": gate.figures,
    "release": release.figures,
    "rest": rest.figures,
    "warehouse": layers.figures,
}


def main() -> None:
    home = Settings.from_environment().home
    settings = replace(Settings.from_environment(), home=home / "bench")
    os.environ["KHOCHUNG_HOME"] = str(settings.home)  # for the processes that measure
    wanted = os.environ.get("BENCH", " ".join(PARTS)).split()
    console = Console(highlight=False)
    found: list[Figure] = []
    try:
        _prepare(settings, console, "database" in wanted)
        for part in wanted:
            console.print(f"… {part}")
            for item in PARTS[part](settings):
                found.append(item)
                console.print(f"  {item.name}: {_shown(item.value)} {item.unit}, {item.ratio:.2f} of {item.floor_name}")
    finally:
        postgres.stop(settings)
    console.print(_grid(found))
    target = home / "bench.json"
    target.write_text(json.dumps([asdict(item) for item in found], indent=2) + "\n", encoding="utf-8")


def _prepare(settings: Settings, console: Console, with_land: bool) -> None:
    """An empty warehouse and empty landing; the land register is made when it is asked for."""
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / "as_of").write_text(AS_OF, encoding="utf-8")
    services.start_postgres(settings)
    fresh_warehouse(settings)
    if with_land:
        scale = os.environ.get("SCALE", "1")
        console.print(f"… a land register of scale {scale} (two minutes at 1)")
        where = ["--home", str(settings.home / "simulator"), "--land-dsn", postgres.admin_dsn(settings, "land_source")]
        command = [sys.executable, "-m", "simulator", "build", "--scale", scale, "--as-of", AS_OF, *where]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _grid(found: list[Figure]) -> Grid:
    grid = Grid("what", "value", "floor", "ratio", "target", "met")
    for item in found:
        value, floor = f"{_shown(item.value)} {item.unit}", f"{_shown(item.floor)} ({item.floor_name})"
        grid.add_row(item.name, value, floor, f"{item.ratio:.2f}", f"{item.target:g}", "yes" if item.met else "no")
    return grid


def _shown(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:,.2f}"


if __name__ == "__main__":
    main()
