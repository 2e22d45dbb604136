"""The database connector: one table or view of a source database, its count and its rows from one snapshot.

The scheme of the source's address chooses the driver; all of them read only, within a time limit, as a stream.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

from khochung.contract import Source, Table
from khochung.errors import ConfigurationError, SourceUnavailableError
from khochung.extract import Delivery, Window, missing_columns
from khochung.extract.database.session import Batches, Session, unknown_columns
from khochung.settings import required

MODULES = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mssql": "sqlserver",
    "oracle": "oracle",
}
Connect = Callable[[Source, str, str], AbstractContextManager[Session]]


@contextmanager
def read(source: Source, table: Table, window: Window, known: frozenset[str]) -> Iterator[list[Delivery]]:
    """The rows of one table or view.

    Its checksum is asked for where the whole table is read once more: it is a fifth of a reading's time, and where it is
    among `known`, all that is needed.
    """
    variable = f"KHOCHUNG_SOURCE_{source.name.upper()}_DSN"
    address = required(variable, f"the address of source {source.name}, such as mysql://reader@host/database")
    with _driver(variable, address)(source, variable, address) as session:
        kinds = session.columns(table)
        missing = [column.path for column in table.columns if column.path not in kinds]
        if missing:
            raise missing_columns(table, missing, table.path)
        counted = session.count(table, kinds, window)
        schema = session.schema(table, kinds)
        delivery = Delivery(schema, iter(()), table.path, counted=counted, types=kinds)
        delivery.unknown_fields = set(unknown_columns(table, kinds))
        rows = session.batches(table, kinds, window, schema)
        batches = _as_counted(rows, table, counted)
        delivery.batches = batches
        if known and window.start is None:
            delivery.origin_sha256 = session.checksum(table, kinds, window)
            delivery.is_known = delivery.origin_sha256 in known
        # Whoever stops early, as a check does after its first batch, ends the statement before the connection.
        with closing(rows), closing(batches):
            yield [delivery]


def _driver(variable: str, address: str) -> Connect:
    """The `connect` of the scheme's module; a driver is imported by whoever needs it."""
    scheme, separator, _ = address.partition("://")
    if not separator and "=" in address:  # libpq's other spelling: host=… dbname=…
        scheme = "postgresql"
    if scheme not in MODULES:
        known = ", ".join(f"{name}://" for name in MODULES)
        raise ConfigurationError(f"{variable} does not begin with a known scheme: {known}; correct it and run again")
    connect: Connect = importlib.import_module(f"{__name__}.{MODULES[scheme]}").connect
    return connect


def _as_counted(batches: Batches, table: Table, counted: int) -> Batches:
    """Where a source has no snapshot to offer, rows that came or went under the reading show in their number."""
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        yield batch
    if rows != counted:
        raise SourceUnavailableError(
            f"{table.source}.{table.name}: {table.path} counted {counted} rows and sent {rows}: "
            "the table changed while it was read; run it again"
        )
