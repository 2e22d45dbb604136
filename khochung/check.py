"""A contract against its source as it is, before anything is loaded: what would block, and what would be set aside.

Reads a sample of each table and, where there is a cursor, the window of its promise. The warehouse is not asked.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import pyarrow as pa
from rich.console import Group
from rich.table import Table as Grid
from rich.text import Text

from khochung import extract
from khochung.contract import Column, Source, Table
from khochung.errors import KhoChungError
from khochung.extract import EXTRA, Delivery, Window, open_delivery
from khochung.extract.files import file_date
from khochung.ingest import end_of
from khochung.places import declared_at
from khochung.settings import TIMEZONE, Settings

SAMPLE_ROWS = 20_000
NO_KEY = (None, "", "null")
BOOLEANS = frozenset({"t", "f", "true", "false", "y", "n", "yes", "no", "on", "off", "1", "0"})
FORMATS = (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"))


@dataclass(frozen=True)
class ColumnCheck:
    """A declared column. `at_source`: its type there, if the source has types. Counts are of the sample."""

    name: str
    path: str
    declared: str
    at_source: str | None
    filled: int
    misfits: int


@dataclass(frozen=True)
class Problem:
    """`blocks`: nothing would be loaded. `warns`: rows would be set aside, or the promise is broken."""

    kind: Literal["blocks", "warns"]
    text: str


@dataclass
class TableCheck:
    """One table. `counted`: by the source, None where it does not count; `changed`: rows in the window of the promise."""

    table: str
    load: str
    origin: str | None = None
    counted: int | None = None
    sampled: int = 0
    columns: list[ColumnCheck] = field(default_factory=list)
    new_fields: list[str] = field(default_factory=list)
    newest: datetime | None = None
    changed: int | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_blocked(self) -> bool:
        return any(problem.kind == "blocks" for problem in self.problems)

    def blocks(self, text: str) -> None:
        self.problems.append(Problem("blocks", text))

    def warns(self, text: str) -> None:
        self.problems.append(Problem("warns", text))


def check(settings: Settings, source: Source, tables: Iterable[Table]) -> Iterator[TableCheck]:
    """Each table in turn. What the connector raises is a problem of its table, and the next one is checked."""
    as_of = settings.business_date()
    for table in tables:
        found = TableCheck(f"{source.name}.{table.name}", table.load)
        try:
            rows = _sample(source, table, Window(as_of, None, end_of(as_of)), found)
            _check_columns(source, table, rows, found)
            _check_key(table, rows, found)
            _check_freshness(source, table, rows, as_of, found)
        except KhoChungError as error:
            found.blocks(str(error))
        yield found


def as_json(checks: list[TableCheck]) -> str:
    return json.dumps([asdict(each) for each in checks], ensure_ascii=False, indent=2, default=str)


def _sample(source: Source, table: Table, window: Window, found: TableCheck) -> pa.Table:
    """The first rows of the newest delivery. Fills in what the delivery says of itself."""
    with open_delivery(source, table, window, frozenset()) as deliveries:
        if not deliveries:
            return extract.text_schema(table).empty_table()
        delivery = deliveries[-1]
        rows = _first_rows(table, delivery)
        found.origin, found.counted, found.sampled = delivery.origin, delivery.counted, rows.num_rows
        found.new_fields = sorted(delivery.unknown_fields)
        found.columns = [
            ColumnCheck(c.name, c.path, c.data_type, delivery.types.get(c.path), 0, 0) for c in table.columns
        ]
        return rows


def _first_rows(table: Table, delivery: Delivery) -> pa.Table:
    held: list[pa.RecordBatch] = []
    names = [column.name for column in table.columns]
    for batch in delivery.batches:
        held.append(batch.select(names))
        if sum(batch.num_rows for batch in held) >= SAMPLE_ROWS:
            break
    schema = pa.schema([field for field in delivery.schema if field.name != EXTRA])
    return pa.Table.from_batches(held, schema).slice(0, SAMPLE_ROWS)


def _check_columns(source: Source, table: Table, rows: pa.Table, found: TableCheck) -> None:
    for place, column in enumerate(table.columns):
        values = rows.column(column.name).drop_null().to_pylist()
        fits = _test(column)
        if column.data_type == "text":  # of what staging will read; the others are held by the load, to the letter
            nothing = {*source.missing, *column.missing}
            values = [value for value in values if str(value).strip() not in nothing]
        misfits = sum(isinstance(value, str) and not fits(value) for value in values)
        if place < len(found.columns):
            before = found.columns[place]
            found.columns[place] = ColumnCheck(
                before.name, before.path, before.declared, before.at_source, len(values), misfits
            )
        if misfits:
            _tell_misfits(table, column, len(values), misfits, found)


def _tell_misfits(table: Table, column: Column, filled: int, misfits: int, found: TableCheck) -> None:
    wanted = column.date_format if column.data_type == "text" else column.data_type
    key = "date_format" if column.data_type == "text" else "data_type"
    text = (
        f"{column.path}: {misfits:,} of {filled:,} values are no {wanted}; correct `{key}` in "
        f"{declared_at(table, [column])}, or ask the owner"
    )
    found.blocks(text) if 2 * misfits > filled and column.data_type != "text" else found.warns(text)


def _check_key(table: Table, rows: pa.Table, found: TableCheck) -> None:
    keys = list(zip(*(rows.column(name).to_pylist() for name in table.key), strict=True))
    nameless = sum(any(part in NO_KEY or str(part).strip() in NO_KEY for part in key) for key in keys)
    repeated = len(keys) - len(set(keys))
    columns = [column for column in table.columns if column.name in table.key]
    where = f"{', '.join(column.path for column in columns)}: correct `key` in {declared_at(table)}, or ask the owner"
    if nameless:
        text = f"{nameless:,} of {len(keys):,} rows have no key, {where}"
        found.blocks(text) if nameless == len(keys) else found.warns(text)
    if repeated:
        text = f"{repeated:,} of {len(keys):,} rows repeat a key, {where}"
        found.blocks(text) if 2 * repeated > len(keys) else found.warns(text)


def _check_freshness(source: Source, table: Table, rows: pa.Table, as_of: date, found: TableCheck) -> None:
    """By the rows that changed within the promise, or by the day of the newest file."""
    if source.connector == "files" and found.origin:
        found.newest = end_of(file_date(found.origin))
    elif table.cursor:
        filled = rows.num_rows - rows.column(table.cursor).null_count
        if rows.num_rows and not filled:
            found.blocks(f"cursor {table.cursor} is empty in every row; correct `cursor` in {declared_at(table)}")
        _read_promise(source, table, as_of, found)
    late = found.newest is not None and found.newest < end_of(as_of) - timedelta(hours=source.fresh_within_hours)
    if late or found.changed == 0:
        newest = f"newest {found.newest:%Y-%m-%d %H:%M}" if found.newest else "nothing changed"
        found.warns(f"promised fresh within {source.fresh_within_hours} hours of the end of {as_of}: {newest}")


def _read_promise(source: Source, table: Table, as_of: date, found: TableCheck) -> None:
    window = Window(as_of, end_of(as_of) - timedelta(hours=source.fresh_within_hours), end_of(as_of))
    inner = TableCheck(found.table, found.load)
    recent = _sample(source, table, window, inner).column(table.cursor).drop_null().to_pylist()
    found.changed = inner.sampled if inner.counted is None else inner.counted
    moments = [moment for value in recent if (moment := _moment(value))]
    found.newest = max(moments, default=None)
    outside = sum(not window.start <= moment < window.end for moment in moments if window.start)
    if outside:
        found.blocks(
            f"{outside:,} of {len(moments):,} rows lie outside the window that was asked for: the source does not filter by "
            f"{table.cursor}; correct `cursor` in {declared_at(table)}, or ask the owner"
        )


def _moment(value: Any) -> datetime | None:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=TIMEZONE)


def _test(column: Column) -> Callable[[str], bool]:
    """Whether a text is a value of the column, much as PostgreSQL and staging will see it."""
    if column.data_type == "text":
        return _dated(column.date_format) if column.date_format else lambda _: True
    parse: dict[str, Callable[[str], object]] = {
        "integer": lambda text: int(text).to_bytes(4, signed=True),
        "bigint": lambda text: int(text).to_bytes(8, signed=True),
        "numeric": Decimal,
        "double precision": float,
        "boolean": lambda text: text.strip().lower() in BOOLEANS or int("no"),
        "date": date.fromisoformat,
        "timestamp": datetime.fromisoformat,
        "timestamptz": datetime.fromisoformat,
        "uuid": uuid.UUID,
        "jsonb": json.loads,
    }
    return lambda text: _parses(parse[column.data_type], text)


def _dated(form: str) -> Callable[[str], bool]:
    pattern = form
    for letters, code in FORMATS:
        pattern = pattern.replace(letters, code)
    return lambda text: len(text.strip()) == len(form) and _parses(lambda each: datetime.strptime(each, pattern), text)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text.strip())
    except (ValueError, InvalidOperation, OverflowError):
        return False
    return True


def grids(checks: list[TableCheck]) -> Group:
    """The checks for a terminal."""
    return Group(*(part for each in checks for part in _grid(each)))


def _grid(found: TableCheck) -> Iterator[Text | Grid]:
    counted = "?" if found.counted is None else f"{found.counted:,}"
    said = f"{found.origin}: {counted} rows, {found.sampled:,} read as a sample" if found.origin else "nothing was read"
    yield Text(f"\n{found.table} ({found.load})  {said}", style="bold")
    if found.columns:
        grid = Grid("column", "path", "declared", "at the source", "filled", "do not fit")
        for one in found.columns:
            grid.add_row(
                one.name,
                one.path,
                one.declared,
                one.at_source or "",
                f"{one.filled:,}",
                f"{one.misfits:,}" if one.misfits else "",
            )
        for column in grid.columns[4:]:
            column.justify = "right"
        yield grid
        yield Text(f"fields not in the contract: {', '.join(found.new_fields) or 'none'}")
    if found.changed is not None:
        newest = f", the newest at {found.newest:%Y-%m-%d %H:%M}" if found.newest else ""
        yield Text(f"changed within the promise: {found.changed:,} rows{newest}")
    for problem in found.problems:
        yield Text(f"{problem.kind}: {problem.text}", style="red" if problem.kind == "blocks" else "yellow")
    if not found.problems:
        yield Text("nothing stands in the way of a load", style="green")
