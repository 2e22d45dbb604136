"""Ingestion of one source: read every table into landing, then load what was landed."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from khochung import landing, load
from khochung.contract import Source, Table
from khochung.extract import Window, open_delivery
from khochung.settings import TIMEZONE, Settings


def end_of(day: date) -> datetime:
    """The first moment after `day` in Việt Nam: the upper bound of what a read of that day may see."""
    return datetime.combine(day + timedelta(days=1), time.min, TIMEZONE)


def extract(settings: Settings, source: Source, table: Table, as_of: date) -> list[Path]:
    """Land what waits at the source for `as_of`. Returns manifests, oldest first; empty when nothing new waits."""
    window = Window(as_of, load.window_start(settings, table), end_of(as_of))
    known = load.known_files(settings, table)
    with open_delivery(source, table, window, known) as deliveries:
        return [landing.write(settings, table, window, delivery) for delivery in deliveries]


def ingest_table(
    settings: Settings, source: Source, table: Table, as_of: date
) -> Iterator[tuple[str, load.Counts | None]]:
    """Extract and load one table; yields (origin, counts) per delivery, counts None when it was loaded before."""
    for manifest_path in extract(settings, source, table, as_of):
        yield landing.read_manifest(manifest_path).origin, load.load(settings, manifest_path)


def check(settings: Settings, source: Source) -> Iterator[str]:
    """One line per table: what the source has against what the contract says. Reads one batch, loads nothing.

    Raises the connector's error when the source cannot be reached or a promised column is missing.
    """
    for table in source.tables:
        window = Window(settings.business_date(), None, end_of(settings.business_date()))
        with open_delivery(source, table, window, frozenset()) as deliveries:
            for delivery in deliveries[-1:]:
                first = next(delivery.batches, None)
                counted = "?" if delivery.counted is None else f"{delivery.counted:,}"
                new = ", ".join(sorted(delivery.unknown_fields)) or "none"
                yield (
                    f"{source.name}.{table.name}: {delivery.origin}: {counted} rows, "
                    f"{len(table.columns)} declared columns present, {first.num_rows if first else 0} rows read as a sample, "
                    f"fields not in the contract: {new}"
                )
