"""Replay: a table of `raw` from what has landed, without its source, in the order in which it was loaded."""

from collections.abc import Iterator
from datetime import date

from khochung import landing, load, raw
from khochung.contract import Table
from khochung.errors import LoadError
from khochung.landing import Manifest
from khochung.load import Connection, Counts
from khochung.settings import Settings


def replay(
    settings: Settings, table: Table, first: date | None = None, last: date = date.max
) -> Iterator[tuple[Manifest, Counts | None]]:
    """Load what the journal says; yields each delivery with its counts, None for one that adds nothing to the one before.

    Without `first` the table, its history and its refused rows are made anew from the first delivery on. With it, the
    deliveries read from that day on are loaded as far as the warehouse lacks them: it was restored from a backup.
    It is one transaction over all deliveries, so nobody sees a state in between, and a killed replay leaves what was.
    Raises LoadError when there is nothing to replay, or when the table would end up older than it is or with a gap, and
    ContractError when a landed file cannot give what the contract asks for now.
    """
    with load.locked(settings, table) as connection:
        load.complete_journal(connection, settings, table)
        chosen = _chosen(connection, settings, table, first, last)
        with connection.transaction():
            if first is None:
                raw.drop_tables(connection, table)
            for manifest in chosen:
                current = manifest.model_copy(update={"contract_sha256": table.sha256})
                with load.explained(table, manifest):
                    counts = load.merge(connection, settings, table, current, is_replay=True)
                connection.execute("discard temp")
                yield manifest, counts


def _chosen(connection: Connection, settings: Settings, table: Table, first: date | None, last: date) -> list[Manifest]:
    where, journal = f"{table.source}.{table.name}", landing.loaded(settings, table.source, table.name)
    newest = load.newest_load(connection, table)
    done = max((place for place, each in enumerate(journal, 1) if newest and newest.is_of(each)), default=0)
    begin = done if first else 0
    chosen = [
        place for place, each in enumerate(journal, 1) if place > begin and (first or date.min) <= each.as_of <= last
    ]
    if not journal:
        raise LoadError(
            f"{where}: nothing was ever loaded from the landing folder; read the source: khochung source ingest"
        )
    if first is None and (not chosen or chosen[-1] < done):
        raise LoadError(
            f"{where}: deliveries after {last} are loaded, and the replay would take them back; leave out --to"
        )
    if chosen and chosen != list(range(begin + 1, chosen[-1] + 1)):
        gap = next(place for place in range(begin + 1, chosen[-1]) if place not in chosen)
        raise LoadError(
            f"{where}: the delivery of {journal[gap - 1].as_of} is not loaded and would be left out; begin with that day, or "
            "leave out --from to make the table anew"
        )
    return [journal[place - 1] for place in chosen]
