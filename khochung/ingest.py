"""Ingestion of one source: read every table into landing, then load what was landed."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from khochung import landing, load
from khochung.contract import Source, Table
from khochung.errors import ConfigurationError
from khochung.extract import Window, open_delivery
from khochung.landing import Manifest
from khochung.settings import TIMEZONE, Settings

Loaded = tuple[str, load.Counts | None]
"""Origin and counts of a delivery; None when it was loaded before."""


def start_of(day: date) -> datetime:
    """The first moment of `day` in Việt Nam."""
    return datetime.combine(day, time.min, TIMEZONE)


def end_of(day: date) -> datetime:
    """The first moment after `day` in Việt Nam: the upper bound of what a read of that day may see."""
    return start_of(day + timedelta(days=1))


def extract(settings: Settings, source: Source, table: Table, as_of: date) -> list[Path]:
    """Land what waits at the source for `as_of`. Returns manifests, oldest first; empty when nothing new waits.

    Raises ConfigurationError when the day was set back, or lies ahead of the warehouse's clock.
    """
    standing = load.standing(settings, table)
    _check_day(settings, table, standing, as_of)
    window = Window(as_of, load.window_start(settings, table), end_of(as_of))
    if source.connector == "database":
        return _land(settings, source, table, standing, window, load.whole_reading(settings, table))
    landed = _land(settings, source, table, standing, window, known=load.known_files(settings, table))
    if not landed:
        load.note_inquiry(settings, table, as_of)
    return landed


def extract_again(settings: Settings, source: Source, table: Table, first: date, last: date) -> list[Path]:
    """Land once more what the source has of the days from `first` to `last`. Returns manifests, oldest first.

    Of a cursor table those are the rows that were last changed on these days. Of an append table they are the files
    dated `first` or later, also those loaded before, up to the business day, since a row of a later file stands over
    one of an earlier file. A snapshot has no days: nothing is landed.
    Raises ConfigurationError when the days are not in order, or not over.
    """
    today = settings.business_date()
    if not first <= last <= today:
        raise ConfigurationError(f"no days to read from {first} to {last}: give them in order, up to {today}")
    if table.load == "snapshot":
        return []
    last = last if table.load == "cursor" else today
    window = Window(last, start_of(first), end_of(last))
    return _land(settings, source, table, load.standing(settings, table), window)


def days_of_run(run_type: str, at: datetime | None, schedule: str) -> tuple[date, date] | None:
    """The days that an Airflow run at the tick `at` reads again: None, unless it belongs to a backfill.

    The scheduled run of a tick reads up to the end of that day, so a backfill's run has the days since the tick before.
    """
    if run_type != "backfill" or at is None:
        return None
    from croniter import croniter

    local = at.astimezone(TIMEZONE)
    before = croniter(schedule, local).get_prev(datetime)
    return min(before.date() + timedelta(days=1), local.date()), local.date()


def ingest_table(settings: Settings, source: Source, table: Table, as_of: date) -> Iterator[Loaded]:
    """Extract and load one table."""
    return _load(settings, extract(settings, source, table, as_of))


def backfill(settings: Settings, source: Source, table: Table, first: date, last: date) -> Iterator[Loaded]:
    """Extract and load days of the past."""
    return _load(settings, extract_again(settings, source, table, first, last))


def _land(
    settings: Settings,
    source: Source,
    table: Table,
    standing: load.Standing,
    window: Window,
    earlier: Manifest | None = None,
    known: frozenset[str] = frozenset(),
) -> list[Path]:
    """`earlier`: what `raw` holds. Where the source still holds it too, the reading is a note that says so."""
    if earlier:
        known = frozenset({earlier.origin_sha256 or earlier.sha256})
    with open_delivery(source, table, window, known) as deliveries:
        return [
            landing.repeat(settings, window, earlier, standing.load_id)
            if earlier and delivery.is_known and landing.is_whole(settings, earlier)
            else landing.write(settings, table, window, delivery, standing.load_id)
            for delivery in deliveries
        ]


def _load(settings: Settings, manifests: list[Path]) -> Iterator[Loaded]:
    for path in manifests:
        yield landing.read_manifest(path).origin, load.load(settings, path)


def _check_day(settings: Settings, table: Table, standing: load.Standing, as_of: date) -> None:
    """A day that goes back would put old states over new ones; a clock that runs ahead would leave a gap behind it."""
    where = f"{table.source}.{table.name}"
    if standing.day and as_of < standing.day:
        raise ConfigurationError(
            f"{where}: the business day is {as_of}, and {standing.day} is loaded: the day does not go back. Correct this machine's "
            f"clock or {settings.pinned_day}; days of the past are read with khochung backfill"
        )
    if as_of > standing.today + timedelta(days=1) and not settings.pinned_day.exists():
        raise ConfigurationError(
            f"{where}: the business day is {as_of}, but the warehouse's server has {standing.today}; correct the clock that is wrong"
        )
