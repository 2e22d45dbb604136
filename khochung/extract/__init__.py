"""Connectors: each reads one table of one source and yields Arrow record batches with the contract's columns.

A connector says what the source counted, and gives its rows as they are: meaning is read into them by staging.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa

from khochung.contract import Source, Table
from khochung.errors import ContractError
from khochung.places import declared_at

# Arrow's own allocator keeps what was freed: a tenth more memory over a long reading, and no time won.
pa.set_memory_pool(pa.system_memory_pool())

# Text is what a source of text sends; typed values come only from databases that have types.
ARROW_TYPES: dict[str, pa.DataType] = {
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}


# Keys in the metadata of a landed column.
SOURCE_TYPE = b"khochung.source_type"
PATH = b"khochung.path"
EXTRA = "_extra"
"""Column of a batch, after those of the contract: the fields that it does not know, per row as one JSON object, or null.

A connector adds it where a delivery has such fields; landing keeps it, and a replay fills columns declared later.
"""


@dataclass(frozen=True)
class Window:
    """What to read: rows whose cursor lies in [start, end), as the source stood at the end of `as_of`.

    start is None for a first or a full read.
    """

    as_of: date
    start: datetime | None
    end: datetime


@dataclass
class Delivery:
    """One reading of one table: batches to consume once, and the source's own count when it gives one.

    `origin` names what was read (a path or a file name), `origin_sha256` identifies a file's bytes or what a database holds,
    `encoding` says how its text was decoded; `counted` is filled in while the batches are consumed; `types` are the source's own names of the
    types of its columns, where it has types. `is_known`: its digest is among those of what was loaded before, so nobody
    needs to consume it.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    origin: str
    origin_sha256: str | None = None
    counted: int | None = None
    unknown_fields: set[str] = field(default_factory=set)
    encoding: str | None = None
    types: dict[str, str] = field(default_factory=dict)
    is_known: bool = False


def text_schema(table: Table) -> pa.Schema:
    """Every column as text: the landed form of JSON and files."""
    return pa.schema([(column.name, pa.string()) for column in table.columns])


def typed_schema(table: Table) -> pa.Schema:
    """Columns in the contract's types; what Arrow has no lossless type for (numeric, uuid, jsonb) stays text."""
    return pa.schema([(column.name, ARROW_TYPES.get(column.data_type, pa.string())) for column in table.columns])


def with_source_type(field: pa.Field, data_type: str) -> pa.Field:
    """Mark a text column whose source is a database that has checked every value to be of this type."""
    return field.with_metadata({SOURCE_TYPE: data_type.encode()})


def with_path(field: pa.Field, path: str) -> pa.Field:
    """Note where the source keeps a column: its name may change with the contract."""
    return field.with_metadata((field.metadata or {}) | {PATH: path.encode()})


def path_of(field: pa.Field) -> str | None:
    """Where the source kept a landed column; None in files that were landed before this was noted."""
    path: bytes | None = (field.metadata or {}).get(PATH)
    return path.decode() if path else None


def source_type(field: pa.Field) -> str | None:
    """The type that the source's own database guarantees for a column that is landed as text."""
    kind: bytes | None = (field.metadata or {}).get(SOURCE_TYPE)
    return kind.decode() if kind else None


def missing_columns(table: Table, missing: list[str], origin: str) -> ContractError:
    """The error for columns that the contract promises and the source does not send."""
    columns = [column for column in table.columns if column.path in missing or column.path.split(".")[0] in missing]
    return ContractError(
        f"{table.source}.{table.name}: {origin} lacks {', '.join(missing)}; "
        f"ask the owner to send it again, or change `path` in {declared_at(table, columns)}"
    )


@contextmanager
def open_delivery(source: Source, table: Table, window: Window, known: frozenset[str]) -> Iterator[list[Delivery]]:
    """The deliveries that wait at the source for this window: one for a table or service, one per new file.

    known: digests (`origin_sha256`) of what was loaded before; a file among them is not delivered again.
    Raises SourceUnavailableError (try again), SourceRefusedError or ContractError (do not).
    """
    from khochung.extract import database, files, lgsp  # here, so that reading a contract costs no driver

    connector = {"lgsp": lgsp.read, "database": database.read, "files": files.read}[source.connector]
    with connector(source, table, window, known) as deliveries:
        yield deliveries
