"""The data formats of a release. Adding one is one entry in FORMATS: how to write it and how to read it back.

Every writer gives the same bytes for the same content, on any day and on any machine.
"""

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from khochung.contract import Dataset
from khochung.errors import GateError
from khochung.release import geojson, workbook
from khochung.release.content import Content, Kind, Row, expect_names, kind, number_text, rows_of


@dataclass(frozen=True)
class Format:
    """A file format. `eu_type`: its entry in the EU file-type vocabulary; `tabular`: Frictionless can read it.

    `same`: a quick exact comparison with the content, where there is one; without it, or where it says no, cells are
    compared one by one. `holds`: False where a content is too large for the format, or is not of its kind; it is
    then left out.
    """

    suffix: str
    label: str
    media_type: str
    eu_type: str
    tabular: bool
    write: Callable[[Content], bytes]
    read: Callable[[bytes, Dataset], tuple[Row, ...]]
    same: Callable[[bytes, Content], bool] = lambda data, content: False
    holds: Callable[[Content], bool] = lambda content: True
    compressed_media_type: str | None = None


def write_csv(content: Content) -> bytes:
    """RFC 4180 with LF line ends, UTF-8 without a byte-order mark, an absent value as an empty field.

    A text that a spreadsheet would run as a formula has an apostrophe before it; no other format needs that.
    """
    return content.csv


def read_csv(data: bytes, dataset: Dataset) -> tuple[Row, ...]:
    return rows_of(dataset, data)


def write_gzip(content: Content) -> bytes:
    """The CSV, compressed; no time and no name in the header, so that the bytes depend on the content alone."""
    return gzip.compress(content.csv, compresslevel=6, mtime=0)


def read_gzip(data: bytes, dataset: Dataset) -> tuple[Row, ...]:
    return rows_of(dataset, gzip.decompress(data))


def write_json(content: Content) -> bytes:
    """A plain array of records, one per line: what browsers, jq, pandas and DuckDB read without being told."""
    return ("[\n" + ",\n".join(_json_records(content)) + "\n]\n").encode()


def _json_records(content: Content) -> list[str]:
    """Each row as a JSON object."""
    labels = [json.dumps(name) for name in content.names]
    encoders = [_json_encoder(kind_) for kind_ in content.kinds]
    return [
        "{"
        + ",".join(f"{label}:{encode(cell)}" for label, encode, cell in zip(labels, encoders, row, strict=True))
        + "}"
        for row in content.rows
    ]


def _json_encoder(kind_: Kind) -> Callable[[str | None], str]:
    if kind_.is_number or kind_.table_schema == "boolean":
        return lambda cell: "null" if cell is None else cell
    return lambda cell: "null" if cell is None else json.dumps(cell, ensure_ascii=False)


def read_json(data: bytes, dataset: Dataset) -> tuple[Row, ...]:
    records: list[dict[str, Any]] = json.loads(data, parse_float=str, parse_int=str)
    for record in records:
        expect_names(list(record), dataset, "JSON")
    return _record_rows(records)


def _record_rows(records: list[dict[str, Any]]) -> tuple[Row, ...]:
    return tuple(tuple(_json_text(value) for value in record.values()) for record in records)


def _json_text(value: Any) -> str | None:
    return ("true" if value else "false") if isinstance(value, bool) else value


def write_geojson(content: Content) -> bytes:
    """See `khochung.release.geojson`."""
    return geojson.write(content, _json_records(content))


def read_geojson(data: bytes, dataset: Dataset) -> tuple[Row, ...]:
    return _record_rows(geojson.records(data, dataset))


def write_parquet(content: Content) -> bytes:
    """Snappy, typed by the contract, without pandas metadata: readable by the small readers of browsers too."""
    sink = io.BytesIO()
    pq.write_table(content.table, sink, compression="snappy", version="2.6", store_schema=False, row_group_size=100_000)
    return sink.getvalue()


def read_parquet(data: bytes, dataset: Dataset) -> tuple[Row, ...]:
    table = pq.read_table(io.BytesIO(data))
    expect_names(table.column_names, dataset, "Parquet")
    texts = [kind(column).text for column in dataset.columns]
    columns = [
        [None if value is None else text(value) for value in table.column(i).to_pylist()]
        for i, text in enumerate(texts)
    ]
    return tuple(zip(*columns, strict=True))


def _same_parquet(data: bytes, content: Content) -> bool:
    return bool(pq.read_table(io.BytesIO(data)).equals(content.table))


FORMATS: tuple[Format, ...] = (
    Format("csv", "CSV", "text/csv", "CSV", True, write_csv, read_csv, lambda data, content: data == content.csv),
    Format(
        "csv.gz", "CSV (gzip)", "text/csv", "CSV", False, write_gzip, read_gzip,
        lambda data, content: gzip.decompress(data) == content.csv, compressed_media_type="application/gzip",
    ),
    Format("json", "JSON", "application/json", "JSON", True, write_json, read_json),
    Format(
        "xlsx", "Excel (XLSX)", workbook.MEDIA_TYPE, "XLSX", False, workbook.write, workbook.read, holds=workbook.holds
    ),
    Format(
        "parquet", "Parquet", "application/vnd.apache.parquet", "PARQUET", False, write_parquet, read_parquet,
        _same_parquet,
    ),
    Format(
        "geojson", "GeoJSON", geojson.MEDIA_TYPE, "GEOJSON", False, write_geojson, read_geojson, holds=geojson.holds
    ),
)  # fmt: skip
BY_SUFFIX = {form.suffix: form for form in FORMATS}


def verify(form: Format, data: bytes, content: Content) -> None:
    """Raise GateError unless the bytes hold the content, cell by cell."""
    if not form.same(data, content):
        same_cells(content, form.read(data, content.dataset))


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


__all__ = ["BY_SUFFIX", "FORMATS", "Format", "number_text", "same_cells", "verify"]
