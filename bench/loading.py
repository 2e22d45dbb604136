"""One table taken from its source into `raw`, as the DAG does it, with the time of each step on standard error.

Beside each time stands the processor's, ours without the servers': it tells a slow step from a busy machine.
"""

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
    settings, rows, began = Settings.from_environment(), 0, _clocks()
    for manifest in ingest.extract(settings, source, table, date.fromisoformat(day)):
        landed = _clocks()
        load.load(settings, manifest)
        done = _clocks()
        rows += landing.read_manifest(manifest).rows
        steps = ((landed[0] - began[0], landed[1] - began[1]), (done[0] - landed[0], done[1] - landed[1]))
        said = ", ".join(
            f"{word} in {wall:.1f} s (our CPU {cpu:.1f})"
            for word, (wall, cpu) in zip(("landed", "loaded"), steps, strict=True)
        )
        print(f"    {rows:,} rows: {said}", file=sys.stderr)
        began = done
    return rows


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
