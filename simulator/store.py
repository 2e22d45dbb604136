"""Serialised records on disk: one JSON object per record in delivery order; a page is one slice."""

from collections.abc import Iterable, Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from simulator.columns import Column, Ints
from simulator.defects import Found
from simulator.delivery import Chunk
from simulator.layouts import Layout


def json_rows(layout: Layout, columns: dict[str, Column]) -> pa.StringArray:
    """Each row as a JSON object followed by a comma. Texts hold no quote, backslash or control character."""
    parts: list[Column | str] = []
    literal, group = "{", ""
    for position, (name, path) in enumerate(layout.fields.items()):
        head, _, leaf = path.rpartition(".")
        if head != group:
            literal += "}" if group else ""
            literal += "," if position else ""
            literal += f'"{head}":{{' if head else ""
            group = head
        elif position:
            literal += ","
        column = columns[name]
        literal += f'"{leaf}":'
        if name in layout.raw_json:
            parts += [literal, column]
            literal = ""
        elif column.null_count:
            quoted = pc.binary_join_element_wise('"', column, '"', "")
            parts += [literal, pc.fill_null(quoted, "null")]
            literal = ""
        else:
            parts += [literal + '"', column]
            literal = '"'
    parts.append(literal + ("}}," if group else "},"))
    return pc.binary_join_element_wise(*parts, "")


def write(stem: Path, pieces: Iterable[tuple[pa.StringArray, Ints]]) -> int:
    """Write records, their offsets and update seconds beside each other; returns the number of records."""
    offsets, updated, total = [np.zeros(1, dtype=np.int64)], [np.zeros(0, dtype=np.int64)], 0
    with stem.with_suffix(".records").open("wb") as handle:
        for array, seconds in pieces:
            ends = np.frombuffer(array.buffers()[1], dtype=np.int32)[: len(array) + 1].astype(np.int64)
            handle.write(memoryview(array.buffers()[2])[: ends[-1]])
            offsets.append(ends[1:] + total)
            updated.append(seconds)
            total += int(ends[-1])
    np.save(stem.with_suffix(".offsets.npy"), np.concatenate(offsets))
    np.save(stem.with_suffix(".updated.npy"), np.concatenate(updated))
    return sum(len(part) for part in updated)


def write_chunks(stem: Path, layout: Layout, chunks: Iterable[Chunk]) -> tuple[int, Found]:
    """Serialise a table; returns the number of records and the defects found on the way."""
    found: Found = []

    def pieces() -> Iterator[tuple[pa.StringArray, Ints]]:
        for columns, seconds, spoiled in chunks:
            found.extend(spoiled)
            yield json_rows(layout, columns), seconds

    return write(stem, pieces()), found


def write_records(stem: Path, layout: Layout, records: list[dict[str, str | None]]) -> int:
    """Serialise a small snapshot."""
    texts = [orjson.dumps({path: r[name] for name, path in layout.fields.items()}).decode() + "," for r in records]
    return write(stem, [(pa.array(texts, type=pa.string()), np.zeros(len(texts), dtype=np.int64))])


class Store:
    """Read side: a memory map and the positions in it."""

    def __init__(self, stem: Path, snapshot: bool) -> None:
        self.snapshot = snapshot
        self.offsets: Ints = np.load(stem.with_suffix(".offsets.npy"))
        self.updated: Ints = np.load(stem.with_suffix(".updated.npy"))
        with stem.with_suffix(".records").open("rb") as handle:
            self.data = mmap(handle.fileno(), 0, access=ACCESS_READ)

    def span(self, since: int | None, before: int | None) -> tuple[int, int]:
        """Record positions with since <= update < before; everything of a snapshot."""
        if self.snapshot:
            return 0, len(self.updated)
        first = 0 if since is None else int(np.searchsorted(self.updated, since, side="left"))
        last = len(self.updated) if before is None else int(np.searchsorted(self.updated, before, side="left"))
        return first, max(first, last)

    def records(self, first: int, last: int) -> bytes:
        """Records [first, last) separated by commas, without a comma at the end."""
        start, end = int(self.offsets[first]), int(self.offsets[last])
        return self.data[start : end - 1] if end > start else b""
