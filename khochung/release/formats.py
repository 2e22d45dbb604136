"""The data formats of a release. Adding one is one entry in FORMATS: how to write it and how to read it back.

Every writer gives the same bytes for the same content, on any day and on any machine.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from khochung.contract import Dataset
from khochung.errors import GateError
from khochung.release.content import Content, Kind, Row, kind, number_text


@dataclass(frozen=True)
class Format:
    """A file format. `eu_type`: its entry in the EU file-type vocabulary; `tabular`: Frictionless can read it."""

    suffix: str
    label: str
    media_type: str
    eu_type: str
    tabular: bool
    write: Callable[[Content], bytes]
    read: Callable[[bytes, Dataset], tuple[Row, ...]]
    compressed_media_type: str | None = None


def write_csv(content: Content) -> bytes:
    """RFC 4180 with LF line ends, UTF-8 without a byte-order mark, an absent value as an empty field."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(content.names)
    writer.writerows(content.rows)
    return stream.getvalue().encode()


def read_csv(data: bytes, dataset: Dataset) -> tuple[Row, ...]:
    rows = csv.reader(io.StringIO(data.decode(), newline=""))
    _expect_names(next(rows, []), dataset, "CSV")
    return tuple(tuple(cell or None for cell in row) for row in rows)


def write_gzip(content: Content) -> bytes:
    """The CSV, compressed; no time and no name in the header, so that the bytes depend on the content alone."""
    return gzip.compress(write_csv(content), compresslevel=9, mtime=0)


def read_gzip(data: bytes, dataset: Dataset) -> tuple[Row, ...]:
    return read_csv(gzip.decompress(data), dataset)


def write_json(content: Content) -> bytes:
    """A plain array of records, one per line: what browsers, jq, pandas and DuckDB read without being told."""
    labels = [json.dumps(name) for name in content.names]
    encoders = [_json_encoder(kind_) for kind_ in content.kinds]
    lines = [
        "{"
        + ",".join(f"{label}:{encode(cell)}" for label, encode, cell in zip(labels, encoders, row, strict=True))
        + "}"
        for row in content.rows
    ]
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def _json_encoder(kind_: Kind) -> Callable[[str | None], str]:
    if kind_.is_number or kind_.table_schema == "boolean":
        return lambda cell: "null" if cell is None else cell
    return lambda cell: "null" if cell is None else json.dumps(cell, ensure_ascii=False)


def read_json(data: bytes, dataset: Dataset) -> tuple[Row, ...]:
    records: list[dict[str, Any]] = json.loads(data, parse_float=str, parse_int=str)
    names = [column.name for column in dataset.columns]
    for record in records:
        _expect_names(list(record), dataset, "JSON")
    return tuple(tuple(_json_text(record[name]) for name in names) for record in records)


def _json_text(value: Any) -> str | None:
    return ("true" if value else "false") if isinstance(value, bool) else value


def write_parquet(content: Content) -> bytes:
    """Snappy, typed by the contract, without pandas metadata: readable by the small readers of browsers too."""
    columns = list(zip(*content.rows, strict=True)) or [()] * len(content.names)
    arrays = [
        pa.array([None if cell is None else kind_.value(cell) for cell in column], type=kind_.arrow)
        for kind_, column in zip(content.kinds, columns, strict=True)
    ]
    sink = io.BytesIO()
    table = pa.table(arrays, names=list(content.names))
    pq.write_table(table, sink, compression="snappy", version="2.6", store_schema=False, row_group_size=100_000)
    return sink.getvalue()


def read_parquet(data: bytes, dataset: Dataset) -> tuple[Row, ...]:
    table = pq.read_table(io.BytesIO(data))
    _expect_names(table.column_names, dataset, "Parquet")
    texts = [kind(column).text for column in dataset.columns]
    columns = [
        [None if value is None else text(value) for value in table.column(i).to_pylist()]
        for i, text in enumerate(texts)
    ]
    return tuple(zip(*columns, strict=True))


def _expect_names(found: Iterable[str], dataset: Dataset, label: str) -> None:
    wanted = [column.name for column in dataset.columns]
    if list(found) != wanted:
        raise GateError(f"{dataset.slug}: the {label} file has columns {list(found)}; expected {wanted}")


FORMATS: tuple[Format, ...] = (
    Format("csv", "CSV", "text/csv", "CSV", True, write_csv, read_csv),
    Format("csv.gz", "CSV (gzip)", "text/csv", "CSV", False, write_gzip, read_gzip, "application/gzip"),
    Format("json", "JSON", "application/json", "JSON", True, write_json, read_json),
    Format("parquet", "Parquet", "application/vnd.apache.parquet", "PARQUET", False, write_parquet, read_parquet),
)


def same_cells(content: Content, rows: tuple[Row, ...]) -> None:
    """Raise GateError at the first cell that differs from the relation; the value itself is not repeated."""
    if len(rows) != len(content.rows):
        raise GateError(f"{content.dataset.slug}: {len(rows)} rows were read back; expected {len(content.rows)}")
    if rows == content.rows:
        return
    for number, (wanted, found) in enumerate(zip(content.rows, rows, strict=True), start=1):
        for name, left, right in zip(content.names, wanted, found, strict=True):
            if left != right:
                raise GateError(f"{content.dataset.slug}: row {number}, column {name} was read back differently")


__all__ = ["FORMATS", "Format", "number_text", "same_cells"]
