"""The protected relation as the public will see it: declared columns only, ordered by key, one text per cell.

Every format is written from this content and read back into the same canonical texts, so that equality is exact:
numbers are plain decimals without trailing zeros, dates are ISO 8601, an absent value is None and never "".
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, reduce
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from pyarrow import csv as arrow_csv

from khochung.contract import Dataset, DatasetColumn
from khochung.errors import GateError

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Kind:
    """How a type of the contract travels: Table Schema type, Arrow type, and the canonical text of a value."""

    table_schema: str
    arrow: pa.DataType
    text: Callable[[Any], str]

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
    "text": Kind("string", pa.string(), str),
    "boolean": Kind("boolean", pa.bool_(), lambda value: "true" if value else "false"),
    "date": Kind("date", pa.date32(), date.isoformat),
    "timestamp": Kind("datetime", pa.timestamp("s"), _timestamp_text),
    "double precision": Kind("number", pa.float64(), number_text),
    "numeric": Kind("number", pa.float64(), number_text),
} | {name: Kind("integer", arrow, number_text) for name, arrow in _INTEGERS.items()}
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
        return Kind("number", pa.decimal128(int(sized[2]), int(sized[3] or 0)), number_text)
    if name.startswith(("varchar", "character varying", "char(")):
        name = "text"
    found = _KINDS.get(_ALIASES.get(name, name))
    if found is None:
        raise GateError(f"column {column.name}: type {column.data_type} cannot be published; use {', '.join(_KINDS)}")
    return found


# A spreadsheet takes a text that begins so for a formula; in CSV such a text stands behind an apostrophe.
_FORMULA_SIGNS = "=+@\t\n＝＋－＠-"
_ACTIVE = f"'*[{_FORMULA_SIGNS}]"
_GUARDED = f"'+[{_FORMULA_SIGNS}]"
# Control characters but for tab and line feed, and what XML cannot hold.
_CONTROLS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xef\xbf[\xbe\xbf]")
_UNPRINTABLE = r"[\x00-\x08\x0b-\x1f\x7f\x{FFFE}\x{FFFF}]"


def guarded(text: str) -> str:
    """A text as CSV carries it: one that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{text}" if re.match(_ACTIVE, text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if re.match(_GUARDED, text) else text


@dataclass(frozen=True)
class Content:
    """The rows of one dataset, canonical and ordered by its key columns. `csv`: their CSV file, which is their identity.

    `version` is what the writers of documents put into them; it is no part of the content.
    """

    dataset: Dataset
    csv: bytes
    version: str = ""

    @classmethod
    def of(cls, dataset: Dataset, rows: Iterable[Row]) -> "Content":
        """The content of canonical rows in their order."""
        texts = [kind(column).table_schema == "string" for column in dataset.columns]
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(column.name for column in dataset.columns)
        writer.writerows(
            [guarded(cell) if is_text and cell is not None else cell for is_text, cell in zip(texts, row, strict=True)]
            for row in rows
        )
        return cls(dataset, stream.getvalue().encode())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.dataset.columns)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(kind(column) for column in self.dataset.columns)

    @cached_property
    def raw(self) -> pa.Table:
        """The CSV file as an Arrow table, typed by the declaration. Raises GateError when a cell does not fit its type."""
        return table_of(self.dataset, self.csv)

    @cached_property
    def table(self) -> pa.Table:
        """The rows as an Arrow table: texts as they are, without what CSV needs before a formula."""
        return pa.table([_plain(column) for column in self.raw.columns], names=self.raw.column_names)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The same rows as canonical texts; None for an absent value."""
        return rows_of(self.dataset, self.csv)

    def suppressed(self) -> int:
        """Cells withheld for disclosure control: each is flagged by a column `<measure>_suppressed`."""
        flags = [name for name in self.names if name.endswith("_suppressed")]
        return sum(pc.sum(self.table[name]).as_py() or 0 for name in flags)

    def measures(self) -> int:
        """Number of measure cells, withheld or not."""
        return int(self.table.num_rows) * sum(column.role == "measure" for column in self.dataset.columns)


def rows_of(dataset: Dataset, data: bytes) -> tuple[Row, ...]:
    """The rows of a CSV file as canonical texts. Raises GateError when its columns are not those of the dataset."""
    reader = csv.reader(io.StringIO(data.decode(), newline=""))
    expect_names(next(reader, []), dataset, "CSV")
    texts = [kind(column).table_schema == "string" for column in dataset.columns]
    return tuple(
        tuple((unguarded(cell) if is_text else cell) or None for is_text, cell in zip(texts, row, strict=True))
        for row in reader
    )


def table_of(dataset: Dataset, data: bytes) -> pa.Table:
    """The rows of a CSV file as an Arrow table of the declared types. Raises GateError when a cell does not fit."""
    types = {column.name: kind(column).arrow for column in dataset.columns}
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types, null_values=[""], true_values=["true"], false_values=["false"],
                strings_can_be_null=True, quoted_strings_can_be_null=False, timestamp_parsers=["%Y-%m-%dT%H:%M:%S"],
            ),
        )  # fmt: skip
    except pa.ArrowInvalid as error:
        # Arrow's message quotes the value at its end.
        raise GateError(
            f"{dataset.slug}: a cell is not of its declared type: {str(error).partition(chr(39))[0]}"
        ) from None
    expect_names(table.column_names, dataset, "CSV")
    return table


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A text column without the apostrophes that stand before formulas; any other as it is."""
    if column.type != pa.string():
        return column
    marked = pc.match_substring_regex(column, f"^{_GUARDED}")
    if not pc.any(marked).as_py():
        return column
    return pc.if_else(marked, pc.utf8_slice_codeunits(column, 1), column)


def expect_names(found: Iterable[str], dataset: Dataset, label: str) -> None:
    """Raise GateError unless `found` are the columns of the dataset, in their order."""
    wanted = [column.name for column in dataset.columns]
    if list(found) != wanted:
        raise GateError(f"{dataset.slug}: the {label} file has columns {list(found)}; expected {wanted}")


def content_sha256(content: Content) -> str:
    """The identity of a version: SHA-256 over its CSV bytes and its schema."""
    schema = json.dumps(content.dataset.schema_record(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(content.csv)
    digest.update(b"\0" + schema.encode())
    return digest.hexdigest()


def read(connection: psycopg.Connection[tuple[Any, ...]], dataset: Dataset) -> Content:
    """Read `open_data.<model>`: the server itself writes the CSV file, in canonical texts.

    Raises GateError naming the column when a cell cannot be published as it is.
    """
    try:
        with connection.cursor() as cursor:
            _refuse_inexact(cursor, dataset)
            cursor.execute("set local datestyle to 'ISO'")
            content = _copied(cursor, dataset, with_formulas=False)
            if _holds_formulas(content):
                content = _copied(cursor, dataset, with_formulas=True)
    except psycopg.Error as error:
        reason = str(error).splitlines()[0]
        raise GateError(
            f"open_data.{dataset.model} does not match its declaration in {dataset.declared_in}: {reason}"
        ) from error
    _refuse_unpublishable(content)
    return content


def _copied(cursor: psycopg.Cursor[tuple[Any, ...]], dataset: Dataset, with_formulas: bool) -> Content:
    stream = io.BytesIO()  # joining a list of the blocks takes four times as long: each is a buffer of the driver
    with cursor.copy(export_query(dataset, with_formulas)) as copy:
        for block in copy:
            stream.write(block)
    return Content(dataset, stream.getvalue())


def _holds_formulas(content: Content) -> bool:
    """True when some text must stand behind an apostrophe; nearly no dataset has one, so looking costs less than asking."""
    texts = (column for column in content.raw.columns if column.type == pa.string())
    return any(pc.any(pc.match_substring_regex(column, f"^{_ACTIVE}")).as_py() for column in texts)


def export_query(dataset: Dataset, with_formulas: bool) -> sql.Composed:
    """`COPY … TO STDOUT` of the canonical CSV file. `with_formulas`: texts are looked at for what a spreadsheet would run."""
    cells = [
        sql.SQL("{} as {}").format(_canonical(kind(column), column.name, with_formulas), sql.Identifier(column.name))
        for column in dataset.columns
    ]
    # The "C" collation: the same order on every server, whatever its locale. Sorted first, so that the sort carries no
    # cell twice.
    order = [
        sql.SQL('{} collate "C"' if kind(column).table_schema == "string" else "{}").format(sql.Identifier(column.name))
        for column in dataset.columns
        if column.role == "key"
    ]
    query = "copy (select {} from (select {} from open_data.{} order by {}) as source) to stdout (format csv, header)"
    return sql.SQL(query).format(
        sql.SQL(", ").join(cells),
        sql.SQL(", ").join(sql.Identifier(column.name) for column in dataset.columns),
        sql.Identifier(dataset.model),
        sql.SQL(", ").join(order),
    )


_GUARD = "case when {cell} ~ {pattern} then {mark} || {cell} else {cell} end"
_CELLS = {
    "string": "{cell}",
    "boolean": "{cell}::boolean::text",
    "date": "{cell}::date",  # in ISO 8601, as the session is set
    "datetime": "to_char({cell}, 'YYYY-MM-DD\"T\"HH24:MI:SS')",
    "integer": "{cell}::bigint",
    "number": "trim_scale({cell}::numeric)",
    "double": "trim_scale({cell}::text::numeric)",  # the shortest text of a double; its cast would keep 15 digits
}


def _canonical(kind_: Kind, name: str, with_formulas: bool) -> sql.Composable:
    """The SQL of a cell's one text; what `Kind.text` is in Python."""
    form = _CELLS["double" if kind_.arrow == pa.float64() else kind_.table_schema]
    return sql.SQL(_GUARD if with_formulas and form == _CELLS["string"] else form).format(
        cell=sql.SQL("source.{}").format(sql.Identifier(name)),
        pattern=sql.Literal(f"^{_ACTIVE}"),
        mark=sql.Literal("'"),
    )


def _refuse_inexact(cursor: psycopg.Cursor[tuple[Any, ...]], dataset: Dataset) -> None:
    """A decimal without a declared scale travels as a double: refuse one that it cannot carry to the last digit."""
    for column in dataset.columns:
        if kind(column).arrow != pa.float64():
            continue
        inexact = sql.SQL("select count(*) from open_data.{} where {}::text::numeric <> {}::float8::text::numeric")
        name = sql.Identifier(column.name)
        found = cursor.execute(inexact.format(sql.Identifier(dataset.model), name, name)).fetchone()
        if found and found[0]:
            raise GateError(
                f"{dataset.slug}.{column.name}: more digits than a double carries; round it or declare numeric(p,s)"
            )


def _refuse_unpublishable(content: Content) -> None:
    """Empty texts, control characters, numbers that are not finite, and repeated keys hold a dataset."""
    slug, table = content.dataset.slug, content.table
    suspect = _CONTROLS.search(content.csv) is not None  # one look at the bytes; the cell is sought only if need be
    for name, column in zip(content.names, table.columns, strict=True):
        if column.type == pa.string():
            odd = pc.equal(column, "")
            if suspect:
                odd = pc.or_(odd, pc.match_substring_regex(column, _UNPRINTABLE))
            if pc.any(odd).as_py():
                raise GateError(f"{slug}.{name}: an empty text or a control character; publish NULL or mend the model")
        if column.type == pa.float64() and pc.all(pc.is_finite(column)).as_py() is False:
            raise GateError(f"{slug}.{name}: a number is not finite")
    repeated = _repeated_keys(table.select(list(content.dataset.key)))
    if repeated:
        raise GateError(f"{slug}: {repeated} rows repeat a key ({', '.join(content.dataset.key)})")


def _repeated_keys(keys: pa.Table) -> int:
    """The number of rows with the key of the row before; rows are ordered by key."""
    columns = [column.combine_chunks() for column in keys.columns]
    same = [pc.equal(column.slice(1), column.slice(0, max(0, len(column) - 1))) for column in columns]
    return int(pc.sum(reduce(pc.and_, same)).as_py() or 0)
