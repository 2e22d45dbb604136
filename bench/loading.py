"""One table taken from its source into `raw`, as the DAG does it, with the time of each step on standard error."""

import sys
import time
from datetime import date

from khochung import contract, ingest, landing, load
from khochung.contract import Table
from khochung.settings import Settings


def take(table: Table, day: str) -> int:
    """Extract and load `table`, which may be a contract's table under another name. Returns the rows read."""
    source = contract.source(table.source).model_copy(update={"tables": (table,)})
    setattr(load, "source_contract", {source.name: source}.__getitem__)  # noqa: B010 (the load asks for it by name)
    settings, rows, began = Settings.from_environment(), 0, time.perf_counter()
    for manifest in ingest.extract(settings, source, table, date.fromisoformat(day)):
        landed = time.perf_counter()
        load.load(settings, manifest)
        took = landed - began, time.perf_counter() - landed
        rows += landing.read_manifest(manifest).rows
        print(f"    {rows:,} rows: landed in {took[0]:.1f} s, loaded in {took[1]:.1f} s", file=sys.stderr)
    return rows
