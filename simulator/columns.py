"""Vectorised building of text columns: every value of every source is made here, without Python loops.

A column is an Arrow string array. Numbers become text through byte matrices, dates through lookup tables.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Column: TypeAlias = pa.Array

NEVER = 10**6
"""Day number (days since 1970-01-01) of what never happens."""
_FIRST_DAY = -25567 - 366  # 1899
_LAST_DAY = 45000  # 2093: terms of land use reach far ahead
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def generator(seed: int, stream: str) -> np.random.Generator:
    """Random generator of one named stream: adding a stream does not disturb the others."""
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def mix(numbers: Ints, salt: int) -> Ints:
    """Stable pseudo-random non-negative integers (splitmix64) of row numbers."""
    z = numbers.astype(np.uint64) + np.uint64((salt * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    out: Ints = ((z ^ (z >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)
    return out


def weighted(rng: np.random.Generator, weights: Sequence[float] | Floats, size: int) -> Ints:
    """Indices drawn in proportion to the weights."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    drawn: Ints = np.searchsorted(edges, rng.random(size) * edges[-1], side="right").astype(np.int64)
    return drawn


def weighted_by(drawn: Ints, weights: Sequence[float]) -> Ints:
    """Indices in proportion to the weights, by numbers that were drawn already."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    found: Ints = np.searchsorted(edges, drawn % 1_000 / 1_000 * edges[-1], side="right").astype(np.int64)
    return found


def texts(values: Sequence[str | None]) -> Column:
    """A Python list as a column."""
    return pa.array(values, type=pa.string())


def take(values: Sequence[str | None] | Column, index: Ints, missing: Bools | None = None) -> Column:
    """values[index]; null where missing."""
    source = values if isinstance(values, pa.Array) else texts(values)
    picked = pa.array(index, mask=missing)
    return source.take(picked)


def constant(value: str | None, size: int) -> Column:
    """The same text in every row."""
    return pa.repeat(pa.scalar(value, type=pa.string()), size)


def blank(column: Column, where: Bools) -> Column:
    """Null where the mask holds."""
    return pc.if_else(pa.array(where), pa.scalar(None, type=pa.string()), column)


def choose(where: Bools, yes: Column, no: Column) -> Column:
    """yes where the mask holds, otherwise no."""
    return pc.if_else(pa.array(where), yes, no)


def join(*parts: Column | str) -> Column:
    """Concatenation row by row; null where any part is null."""
    return pc.binary_join_element_wise(*parts, "")


def fixed_width(chars: NDArray[np.uint8]) -> Column:
    """Rows of an (n, width) matrix of ASCII bytes as a column."""
    rows, width = chars.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    data = np.ascontiguousarray(chars)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))


def digits(numbers: Ints, width: int) -> Column:
    """Numbers with leading zeros to a fixed width."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    matrix = (numbers.astype(np.int64)[:, None] // powers) % 10
    return fixed_width((matrix + 48).astype(np.uint8))


def plain(numbers: Ints | Floats) -> Column:
    """Numbers as text without padding."""
    return pa.array(numbers).cast(pa.string())


def uuids(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Random version-4 UUIDs as (n, 16) bytes."""
    raw = rng.integers(0, 256, (size, 16), dtype=np.uint8)
    raw[:, 6] = (raw[:, 6] & 0x0F) | 0x40
    raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
    return raw


def uuid_text(raw: NDArray[np.uint8]) -> Column:
    """UUID bytes in their usual text form."""
    nibbles = np.empty((len(raw), 32), dtype=np.uint8)
    nibbles[:, 0::2], nibbles[:, 1::2] = raw >> 4, raw & 15
    out = np.full((len(raw), 36), ord("-"), dtype=np.uint8)
    places = [i for i in range(36) if i not in (8, 13, 18, 23)]
    out[:, places] = _HEX[nibbles]
    return fixed_width(out)


@lru_cache(maxsize=8)
def _calendar(pattern: str) -> Column:
    days = np.arange(_FIRST_DAY, _LAST_DAY).astype("datetime64[D]")
    return pc.strftime(pa.array(days), format=pattern)


@lru_cache(maxsize=2)
def _clock(separator: str) -> Column:
    s = np.arange(86400)
    return join(digits(s // 3600, 2), separator, digits(s // 60 % 60, 2), separator, digits(s % 60, 2))


def date_text(days: Ints, pattern: str = "%d/%m/%Y") -> Column:
    """Day numbers as dates; null where NEVER."""
    missing = days >= NEVER
    return take(_calendar(pattern), np.where(missing, 0, days - _FIRST_DAY), missing)


def stamp_compact(seconds: Ints) -> Column:
    """Local seconds since 1970 as yyyyMMddHHmmss; null where the day is NEVER."""
    return join(date_text(_day(seconds), "%Y%m%d"), take(_clock(""), seconds % 86400))


def stamp_iso(seconds: Ints, zone: str = "+07:00") -> Column:
    """Local seconds since 1970 as ISO 8601 with the zone; null where the day is NEVER."""
    return join(date_text(_day(seconds), "%Y-%m-%d"), "T", take(_clock(":"), seconds % 86400), zone)


def _day(seconds: Ints) -> Ints:
    return np.minimum(seconds // 86400, NEVER)


def at(days: Ints, second_of_day: Ints) -> Ints:
    """Local seconds since 1970 of a day number and a second of the day."""
    return days.astype(np.int64) * 86400 + second_of_day


def thousands(numbers: Ints) -> Column:
    """Numbers in Vietnamese format, dots between thousands."""
    return texts([f"{n:,}".replace(",", ".") for n in numbers.tolist()])


def day_number(iso: str) -> int:
    """Day number of an ISO date."""
    return int(np.datetime64(iso, "D").astype(int))


def iso_day(day: int) -> str:
    """ISO date of a day number."""
    return str(np.datetime64(day, "D"))
