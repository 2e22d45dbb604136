"""What the drivers have in common: the interface, the parts of an address, the window as SQL, rows as CSV."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from khochung.contract import Column, Table
from khochung.errors import ConfigurationError, ContractError, SourceUnavailableError
from khochung.extract import EXTRA, Window, typed_schema, with_source_type
from khochung.places import declared_at
from khochung.settings import TIMEZONE

TIME_LIMIT_SECONDS = 30 * 60  # for one statement
CONNECT_SECONDS = 10
BATCH_ROWS = 10_000
BLOCK_BYTES = 1 << 20
LINE_FEED = 0x0A
Batches = Generator[pa.RecordBatch, None, None]  # a generator, so that it can be ended early


class Session(Protocol):
    """A read-only snapshot of a source database. `kinds`: its columns and the source's own names of their types."""

    def columns(self, table: Table) -> dict[str, str]:
        """Every column of the table. Raises ContractError when it is not there, SourceRefusedError without the right."""

    def count(self, table: Table, kinds: dict[str, str], window: Window) -> int:
        """Rows in the window."""

    def checksum(self, table: Table, kinds: dict[str, str], window: Window) -> str | None:
        """A digest of all rows in the window, in whatever order they lie. None where the source cannot give one."""
        return None

    def schema(self, table: Table, kinds: dict[str, str]) -> pa.Schema:
        """Types that the source guarantees; what it does not guarantee travels as text and is judged by the load.

        `_extra` stands behind the contract's columns where the driver hands on those that it does not know.
        """

    def batches(self, table: Table, kinds: dict[str, str], window: Window, schema: pa.Schema) -> Batches:
        """The rows in the window, as a stream."""


@dataclass(frozen=True)
class Address:
    """The parts of `scheme://user:password@host:port/database?option=value`; all but the port percent-decoded."""

    user: str
    password: str
    host: str
    port: int
    database: str
    options: dict[str, str]

    def __repr__(self) -> str:
        return f"Address({self.host}:{self.port}/{self.database})"


def parse_address(variable: str, address: str, port: int, options: frozenset[str]) -> Address:
    """The parts of an address. Raises ConfigurationError, which never quotes it, for it may hold a password."""
    try:
        parts = urlsplit(address)
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        found = Address(
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            unquote(parts.hostname or ""),
            parts.port or port,
            unquote(parts.path.removeprefix("/")),
            given,
        )
    except ValueError:
        raise _unreadable(variable) from None
    unknown = sorted(set(given) - options)
    if unknown:
        allowed = ", ".join(sorted(options))
        raise ConfigurationError(f"{variable}: unknown option {', '.join(unknown)}; there are {allowed}")
    if not (found.user and found.database and (found.host or "socket" in given)) or parts.fragment:
        raise _unreadable(variable)
    return found


def _unreadable(variable: str) -> ConfigurationError:
    return ConfigurationError(
        f"{variable} is no address of the form scheme://user:password@host:port/database; "
        "percent-encode the letters / ? # @ : % of user and password (@ is %40)"
    )


def unknown_columns(table: Table, kinds: dict[str, str]) -> list[str]:
    """The source's columns that the contract does not know, in an order that holds."""
    return sorted(set(kinds) - {column.path for column in table.columns})


def cursor_column(table: Table) -> Column | None:
    """The column that the window is about, if the table has one."""
    return next((column for column in table.columns if column.name == table.cursor), None)


def condition(table: Table, window: Window, quote: Callable[[str], str], literal: Callable[[datetime], str]) -> str:
    """The window as SQL; `literal` is given moments in local time."""
    column = cursor_column(table)
    if column is None:
        return "1 = 1"
    name = quote(column.path)
    upper = f"{name} < {literal(window.end.astimezone(TIMEZONE))}"
    if window.start is None:
        # A row without a cursor would never be read again: the first full read takes it.
        return f"({upper} or {name} is null)"
    return f"{name} >= {literal(window.start.astimezone(TIMEZONE))} and {upper}"


def guaranteed_schema(
    table: Table, kinds: dict[str, str], guarantees: dict[str, frozenset[str]], kept: list[str]
) -> pa.Schema:
    """Columns whose source type only has values of the contract's type get it, the others travel as text.

    `kept`: columns that the contract does not know and `_extra` takes.
    """
    fields = []
    for field, column in zip(typed_schema(table), table.columns, strict=True):
        if column.data_type not in guarantees.get(kinds[column.path], frozenset()):
            field = pa.field(field.name, pa.string())
        elif pa.types.is_string(field.type):
            field = with_source_type(field, column.data_type)
        fields.append(field)
    return pa.schema([*fields, pa.field(EXTRA, pa.string())] if kept else fields)


def parse_csv(blocks: Iterable[Any], table: Table, schema: pa.Schema) -> Batches:
    """Rows that the source spelled as CSV: text in quotes, nothing at all for NULL, `t` and `f` for booleans.

    Whole rows at a time, from memory: Arrow's reader of streams reads ahead in a thread of its own, which cannot be
    stopped and would read on after the connection is closed.
    """
    convert = pacsv.ConvertOptions(
        column_types=schema,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
        timestamp_parsers=[pacsv.ISO8601],
    )
    # A row of one column that is NULL is an empty line.
    parse = pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    for text in _whole_rows(blocks):
        options = pacsv.ReadOptions(column_names=schema.names, block_size=len(text) + 1, use_threads=False)
        try:
            batches = pacsv.read_csv(pa.BufferReader(text), options, parse, convert).to_batches()
        except pa.ArrowInvalid as error:  # its text quotes the value, so it is not passed on
            place = re.search(r"CSV column #(\d+)", str(error))
            raise_misfit(table, list(table.columns[int(place[1]) : int(place[1]) + 1] if place else table.columns))
        yield from batches


def _whole_rows(blocks: Iterable[Any]) -> Iterator[bytes]:
    """Blocks joined to about a megabyte; a row ends in a line feed that stands outside of quotes."""
    held: list[Any] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= BLOCK_BYTES and block[-1] == LINE_FEED:
            text = b"".join(held)
            if text.count(b'"') % 2 == 0:
                yield text
                held, size = [], 0
    if held:
        yield b"".join(held)


def fit(batch: pa.RecordBatch, table: Table, schema: pa.Schema) -> pa.RecordBatch:
    """A driver's batch in the delivery's types, without loss. Raises ContractError, which names no value."""
    arrays = []
    for place, (array, field) in enumerate(zip(batch.columns, schema, strict=True)):
        if isinstance(array, pa.ExtensionArray) and array.type != field.type:
            array = array.storage
        try:
            arrays.append(pc.cast(array, field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise_misfit(table, list(table.columns[place : place + 1]))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def with_extra(batch: pa.RecordBatch, kept: list[str]) -> pa.RecordBatch:
    """The columns `kept`, which stand last in a batch, as one of JSON objects; numbers stay numbers."""
    if not kept:
        return batch
    own = batch.num_columns - len(kept)
    rows = zip(*(column.to_pylist() for column in batch.columns[own:]), strict=True)
    texts = [msgspec.json.encode(dict(zip(kept, row, strict=True))).decode() for row in rows]
    arrays = [*batch.columns[:own], pa.array(texts, pa.string())]
    return pa.RecordBatch.from_arrays(arrays, [*batch.schema.names[:own], EXTRA])


def raise_misfit(table: Table, suspects: list[Column]) -> NoReturn:
    """A value is not of its column's type, or is no text at all. The error that is being handled is not told."""
    raise ContractError(
        f"{table.source}.{table.name}: {table.path} holds a value that does not fit "
        f"{', '.join(f'{column.path} ({column.data_type})' for column in suspects)}; "
        f"correct `data_type` in {declared_at(table, suspects)}, or ask the owner to correct the row"
    ) from None


def interrupted(table: Table, reason: str) -> SourceUnavailableError:
    """A read that the source or the network ended."""
    return SourceUnavailableError(
        f"{table.source}.{table.name}: reading {table.path} ended early: {reason}; run it again"
    )
