"""Arrow batches as the stream of PostgreSQL's `copy ... (format binary)`, worked out column by column.

No Python object is made for a value, and the server neither parses nor converts: that halves its time per row.
The layout of a value is what the type's receive function reads, see "Binary Format" under COPY in PostgreSQL's manual.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from khochung.extract import ARROW_TYPES, source_type

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
BLOCK_BYTES = 32 << 20  # at a time, so that memory stays flat however long the texts are
Bytes = npt.NDArray[np.uint8]

# PostgreSQL counts from 1 January 2000.
_EPOCH_DAYS = (date(2000, 1, 1) - date(1970, 1, 1)).days
_EPOCH = int((datetime(2000, 1, 1) - datetime(1970, 1, 1)).total_seconds()) * 1_000_000
# Type of a column -> how many it is to be lowered by, and the number that the server reads.
_NUMBERS = {
    "integer": (0, ">i4"),
    "bigint": (0, ">i8"),
    "double precision": (0, ">f8"),
    "boolean": (0, "u1"),
    "date": (_EPOCH_DAYS, ">i4"),
    "timestamp": (_EPOCH, ">i8"),
    "timestamptz": (_EPOCH, ">i8"),
}
_POWERS = 10 ** np.arange(19, dtype=np.int64)
_LONGEST_FRACTION = 8  # digits; a numeric holds groups of four


def column_type(data_type: str, held: pa.Field) -> str:
    """The type in which a landed column travels: the contract's where its values are known to have it, else text."""
    is_exact = held.type == ARROW_TYPES.get(data_type) or (data_type == "uuid" and held.type == pa.uuid())
    is_spelled = data_type in ("numeric", "jsonb") and source_type(held) == data_type
    return data_type if is_exact or is_spelled else "text"


def blocks(batch: pa.RecordBatch, types: Sequence[str]) -> Iterator[memoryview]:
    """The rows of a batch whose columns travel in `types`; HEADER comes before the first, TRAILER behind the last."""
    rows = max(1, batch.num_rows * BLOCK_BYTES // max(batch.nbytes, BLOCK_BYTES))
    for start in range(0, batch.num_rows, rows):
        yield _block(batch.slice(start, rows), types)


def _block(batch: pa.RecordBatch, types: Sequence[str]) -> memoryview:
    row = _Row(batch.num_rows)
    row.add(np.full(batch.num_rows, len(types), ">i2"))
    for column, data_type in zip(batch.columns, types, strict=True):
        if data_type in _NUMBERS:
            row.add_value(*_number(column, *_NUMBERS[data_type]))
        elif data_type == "uuid":
            row.add_value(_fixed(column.storage), column)
        elif data_type == "numeric" and (digits := _decimals(column)) is not None:
            row.add_value(digits, column)
        else:
            row.add_text(_text(column, data_type))
    return memoryview(row.joined().buffers()[2])


@dataclass
class _Row:
    """The pieces of which every row is put together: bytes of one width side by side, then a text, and so on."""

    rows: int
    pieces: list[pa.Array] = field(default_factory=list)
    waiting: list[Bytes] = field(default_factory=list)

    def add(self, values: npt.NDArray[Any]) -> None:
        self.waiting.append(np.ascontiguousarray(values).view(np.uint8).reshape(self.rows, -1))

    def add_value(self, values: npt.NDArray[Any], column: pa.Array) -> None:
        """A value of fixed width behind its length; nothing but -1 for null."""
        body = np.ascontiguousarray(values).view(np.uint8).reshape(self.rows, -1)
        if not column.null_count:
            self.add(np.full(self.rows, body.shape[1], ">i4"))
            self.add(body)
            return
        self._join()
        is_valid = _is_valid(column)
        length = np.where(is_valid, body.shape[1], -1).astype(">i4").view(np.uint8).reshape(self.rows, 4)
        whole = np.hstack([length, body])
        kept = np.ones(whole.shape, bool)
        kept[:, 4:] = is_valid[:, None]
        ends = np.cumsum(np.where(is_valid, whole.shape[1], 4), dtype=np.int32)
        self._piece(np.concatenate([np.zeros(1, np.int32), ends]), whole[kept])

    def add_text(self, texts: pa.Array) -> None:
        lengths = np.diff(_held(texts, np.int32, len(texts) + 1))
        if texts.null_count:
            lengths[~_is_valid(texts)] = -1
        self.add(lengths.astype(">i4"))
        self._join()
        self.pieces.append(texts)

    def joined(self) -> pa.Array:
        self._join()
        between = pa.Array.from_buffers(
            pa.binary(), self.rows, [None, pa.py_buffer(bytes(4 * self.rows + 4)), pa.py_buffer(b"")]
        )
        return pc.binary_join_element_wise(*self.pieces, between, null_handling="replace")

    def _join(self) -> None:
        if self.waiting:
            body = np.hstack(self.waiting)
            self._piece(np.arange(self.rows + 1, dtype=np.int32) * body.shape[1], body)
            self.waiting = []

    def _piece(self, offsets: npt.NDArray[np.int32], data: Bytes) -> None:
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))]
        self.pieces.append(pa.Array.from_buffers(pa.binary(), self.rows, buffers))


def _held(column: pa.Array, kind: Any, count: int) -> npt.NDArray[Any]:
    """The first `count` numbers behind an array: its values (anything where it is null), or of texts where they begin.

    Looked at where they lie: handed a Python number, Arrow imports pandas, which takes as long as loading 20 000 rows.
    """
    return np.frombuffer(column.buffers()[1], kind)[column.offset : column.offset + count]


def _is_valid(column: pa.Array) -> npt.NDArray[np.bool_]:
    return _held(column.is_valid().cast(pa.uint8()), np.bool_, len(column))


def _number(column: pa.Array, lowered_by: int, form: str) -> tuple[npt.NDArray[Any], pa.Array]:
    numbers = column.cast(pa.uint8()) if pa.types.is_boolean(column.type) else column
    kind = np.dtype(form).newbyteorder("=")
    values = _held(numbers, kind, len(numbers))
    return (values - kind.type(lowered_by) if lowered_by else values).astype(form), column


def _fixed(column: pa.Array) -> Bytes:
    width = column.type.byte_width
    data = np.frombuffer(column.buffers()[1], np.uint8)
    return data[column.offset * width : (column.offset + len(column)) * width]


def _text(column: pa.Array, data_type: str) -> pa.Array:
    if data_type == "numeric":
        return pa.array([None if text is None else _numeric(text) for text in column.to_pylist()], pa.binary())
    if isinstance(column, pa.ExtensionArray):
        column = pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    texts = pc.cast(column, pa.string()).view(pa.binary())
    return pc.binary_join_element_wise(b"\1", texts, b"") if data_type == "jsonb" else texts


def _decimals(texts: pa.Array) -> npt.NDArray[np.int16] | None:
    """Numbers that PostgreSQL has spelled, as its numeric. None when one of them is too long for whole columns."""
    point, length = (
        _held(found, np.int32, len(texts)) for found in (pc.find_substring(texts, "."), pc.binary_length(texts))
    )
    is_valid = _is_valid(texts)
    scale = np.where(is_valid & (point >= 0), length - point - 1, 0)
    try:
        bare = pc.replace_substring(texts, ".", "", max_replacements=1)
        unscaled = np.where(is_valid, _held(pc.cast(bare, pa.int64()), np.int64, len(texts)), 0)
    except pa.ArrowInvalid:
        return None
    is_short = -_POWERS[18] < unscaled.min(initial=0) <= unscaled.max(initial=0) < _POWERS[18]
    if scale.max(initial=0) > _LONGEST_FRACTION or not is_short:
        return None
    whole, part = np.divmod(np.abs(unscaled), _POWERS[scale])
    part *= _POWERS[_LONGEST_FRACTION - scale]
    left = -(-len(str(whole.max(initial=0))) // 4)  # groups before the point
    digits = [whole // _POWERS[4 * place] % 10_000 for place in reversed(range(left))] + [part // 10_000, part % 10_000]
    head = [np.full(len(texts), len(digits)), np.full(len(texts), left - 1), (unscaled < 0) * 0x4000, scale]
    return np.stack([*head, *digits], axis=1).astype(">i2")


def _numeric(text: str) -> bytes:
    """One number of any length as PostgreSQL's numeric: groups, weight, sign, digits behind the point, then the groups."""
    value = Decimal(text)
    if not value.is_finite():
        sign = 0xC000 if value.is_nan() else 0xF000 if value < 0 else 0xD000
        return struct.pack(">hhHh", 0, 0, sign, 0)
    whole, _, part = f"{value.copy_abs():f}".partition(".")  # abs() would round
    left = -(-len(whole) // 4)
    digits = whole.zfill(4 * left) + part + "0" * (-len(part) % 4)
    groups = [int(digits[start : start + 4]) for start in range(0, len(digits), 4)]
    sign = 0x4000 if value < 0 else 0
    return struct.pack(f">hhHh{len(groups)}h", len(groups), left - 1, sign, len(part), *groups)
