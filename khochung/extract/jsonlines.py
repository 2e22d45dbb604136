"""JSON lines: one object a line, columns by dotted path. Numbers keep the digits that the source wrote."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from khochung.contract import Column, Table
from khochung.errors import ContractError
from khochung.extract import EXTRA, Delivery, encodings, missing_columns, tabular
from khochung.extract.tabular import Row


class _Digits(str):
    """A number as it was written."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a field stands there twice")
    return value


def _no_number(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_Digits, parse_int=_Digits, parse_constant=_no_number
)


def batches(path: Path, table: Table, encoding: str, origin: str, delivery: Delivery) -> Iterator[pa.RecordBatch]:
    """Every line's declared columns. Raises ContractError that names the line, never the value.

    A field that a record lacks is null; one that no record has is missing, which the end of the file tells.
    """
    seen: set[str] = set()
    rows = 0

    def read() -> Iterator[Row]:
        nonlocal rows
        with path.open("rb") as stream:
            for number, value in _objects(encodings.lines(stream, encoding, origin), origin):
                seen.update(value)
                rows += 1
                cells = [_text(column, value, table, f"{origin}, line {number}") for column in table.columns]
                yield [*cells, _compact(rest) if (rest := {k: v for k, v in value.items() if k not in tops}) else None]

    tops = {column.path.split(".")[0] for column in table.columns}
    schema = delivery.schema.append(pa.field(EXTRA, pa.string()))
    yield from tabular.batches(read(), list(range(len(schema))), {}, schema)
    missing = sorted(tops - seen)
    if missing and rows:
        raise missing_columns(table, missing, origin)
    delivery.unknown_fields |= seen - tops


def _objects(lines: Iterator[str], origin: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = _DECODER.decode(line)
            if "\\u" in line:
                _check_escapes(value)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error) or "nested too deep"
            if isinstance(error, UnicodeEncodeError):
                reason = "half of a character"
            raise ContractError(
                f"{origin}, line {number} is no JSON object, or cut short ({reason}); ask the owner for the file again"
            ) from None
        if not isinstance(value, dict):
            raise ContractError(f"{origin}, line {number}: no JSON object; ask the owner for one object a line")
        yield number, value


def _check_escapes(value: Any) -> None:
    """What can be written as an escape and not be kept as text: NUL, and one half of a surrogate pair."""
    text = json.dumps(value, ensure_ascii=False)
    text.encode()
    if "\\u0000" in text:
        raise ValueError("a NUL character")


def _text(column: Column, record: dict[str, Any], table: Table, where: str) -> str | None:
    value: Any = record
    for step in column.path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return None
    if column.data_type == "jsonb":
        return _compact(value)
    if type(value) is str:
        return value
    if isinstance(value, dict | list):
        raise ContractError(
            f"{where}: {column.path} holds an object where the contract says text; "
            f"correct `path` or `data_type` of {column.name} in {table.declared_in}"
        )
    return _compact(value)


def _compact(value: Any) -> str:
    """JSON text without blanks, numbers with the digits that were sent."""
    if isinstance(value, _Digits):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_compact(inner)}" for key, inner in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
