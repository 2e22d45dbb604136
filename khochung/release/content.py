"""The protected relation as the public will see it: declared columns only, ordered by key, one text per cell.

Every format is written from this content and read back into the same canonical texts, so that equality is exact:
numbers are plain decimals without trailing zeros, dates are ISO 8601, an absent value is None and never "".
"""

import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from khochung.contract import Dataset, DatasetColumn
from khochung.errors import GateError

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Kind:
    """How a type of the contract travels: Table Schema type, Arrow type, canonical text, and back to a value."""

    table_schema: str
    arrow: pa.DataType
    text: Callable[[Any], str]
    value: Callable[[str], Any]

    @property
    def is_number(self) -> bool:
        return self.table_schema in ("integer", "number")


def number_text(value: Any) -> str:
    """A plain decimal: 1.50 is `1.5`, 1E+3 is `1000`. Refuses NaN and infinities, which most formats cannot carry."""
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise GateError("a number is not finite: mend the model that computes it")
    text = format(exact, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _timestamp_text(value: datetime) -> str:
    return value.isoformat(timespec="seconds")


_INTEGERS = {"smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64()}
_KINDS: dict[str, Kind] = {
    "text": Kind("string", pa.string(), str, str),
    "boolean": Kind("boolean", pa.bool_(), lambda value: "true" if value else "false", lambda text: text == "true"),
    "date": Kind("date", pa.date32(), date.isoformat, date.fromisoformat),
    "timestamp": Kind("datetime", pa.timestamp("s"), _timestamp_text, datetime.fromisoformat),
    "double precision": Kind("number", pa.float64(), number_text, float),
    "numeric": Kind("number", pa.float64(), number_text, float),
} | {name: Kind("integer", arrow, number_text, int) for name, arrow in _INTEGERS.items()}
_ALIASES = {
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "float8": "double precision",
    "decimal": "numeric",
}
_SIZED = re.compile(r"(numeric|decimal)\s*\(\s*([0-9]+)\s*(?:,\s*([0-9]+)\s*)?\)")


def kind(column: DatasetColumn) -> Kind:
    """The kind of a published column. Raises GateError for a type that open formats do not share."""
    name = column.data_type.strip().lower()
    sized = _SIZED.fullmatch(name)
    if sized:
        return Kind("number", pa.decimal128(int(sized[2]), int(sized[3] or 0)), number_text, Decimal)
    if name.startswith(("varchar", "character varying", "char(")):
        name = "text"
    found = _KINDS.get(_ALIASES.get(name, name))
    if found is None:
        raise GateError(f"column {column.name}: type {column.data_type} cannot be published; use {', '.join(_KINDS)}")
    return found


@dataclass(frozen=True)
class Content:
    """The rows of one dataset, canonical and ordered by its key columns."""

    dataset: Dataset
    rows: tuple[Row, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.dataset.columns)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(kind(column) for column in self.dataset.columns)

    def suppressed(self) -> int:
        """Cells withheld for disclosure control: each is flagged by a column `<measure>_suppressed`."""
        places = [i for i, name in enumerate(self.names) if name.endswith("_suppressed")]
        return sum(row[place] == "true" for row in self.rows for place in places)

    def measures(self) -> int:
        """Number of measure cells, withheld or not."""
        return len(self.rows) * sum(column.role == "measure" for column in self.dataset.columns)


def content_sha256(dataset: Dataset, csv_bytes: bytes) -> str:
    """The identity of a version: SHA-256 over its CSV bytes and its schema."""
    schema = json.dumps(dataset.schema_record(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(csv_bytes + b"\0" + schema.encode()).hexdigest()


def read(connection: psycopg.Connection[tuple[Any, ...]], dataset: Dataset) -> Content:
    """Read `open_data.<model>`. Raises GateError naming the column when a cell cannot be published as it is."""
    kinds = [kind(column) for column in dataset.columns]
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in dataset.columns)
    # The "C" collation: the same order on every server, whatever its locale.
    order = sql.SQL(", ").join(
        sql.SQL('{} collate "C"' if kind(column).table_schema == "string" else "{}").format(sql.Identifier(column.name))
        for column in dataset.columns
        if column.role == "key"
    )
    query = sql.SQL("select {} from open_data.{} order by {}").format(names, sql.Identifier(dataset.model), order)
    try:
        found = connection.execute(query).fetchall()
    except psycopg.Error as error:
        reason = str(error).splitlines()[0]
        raise GateError(
            f"open_data.{dataset.model} does not match its declaration in {dataset.declared_in}: {reason}"
        ) from error
    rows = tuple(tuple(_text(kinds[i], dataset, i, value) for i, value in enumerate(row)) for row in found)
    _keys_are_unique(dataset, rows)
    return Content(dataset, rows)


def _text(kind_: Kind, dataset: Dataset, place: int, value: Any) -> str | None:
    if value is None:
        return None
    text = kind_.text(value)
    column = dataset.columns[place]
    if text == "" or "\r" in text or "\0" in text:
        raise GateError(
            f"{dataset.slug}.{column.name}: an empty text or a control character; publish NULL or mend the model"
        )
    if kind_.arrow == pa.float64() and number_text(float(text)) != text:
        raise GateError(
            f"{dataset.slug}.{column.name}: more digits than a double carries; round it or declare numeric(p,s)"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise GateError(f"{dataset.slug}.{column.name}: a number is not finite")
    return text


def _keys_are_unique(dataset: Dataset, rows: tuple[Row, ...]) -> None:
    places = [i for i, column in enumerate(dataset.columns) if column.role == "key"]
    keys = {tuple(row[place] for place in places) for row in rows}
    if len(keys) != len(rows):
        raise GateError(f"{dataset.slug}: {len(rows) - len(keys)} rows repeat a key ({', '.join(dataset.key)})")
