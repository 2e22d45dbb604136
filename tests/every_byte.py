"""Every byte that is public, and what compressed and binary formats keep inside."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq


def every_byte(tree: Path) -> Iterator[tuple[str, bytes]]:
    """(place, bytes) of each file below `tree` as it lies there, and again unpacked: gzip, the members of a zip such as
    XLSX, and of Parquet its cells, its metadata and the statistics of its columns."""
    for path in sorted(tree.rglob("*")):
        if not path.is_file():
            continue
        place, data = path.relative_to(tree).as_posix(), path.read_bytes()
        yield place, data
        if data[:2] == b"\x1f\x8b":
            yield place, gzip.decompress(data)
        elif zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield place, "\n".join(archive.namelist()).encode()
                for name in archive.namelist():
                    yield f"{place}/{name}", archive.read(name)
        elif data[:4] == b"PAR1":
            file = pq.ParquetFile(io.BytesIO(data))
            yield place, str(file.metadata.to_dict()).encode()
            yield place, str(file.read().to_pylist()).encode()


def traces(tree: Path, texts: set[str]) -> list[tuple[str, str]]:
    """(place, text) wherever one of the texts stands, in whatever packing."""
    wanted = {text: text.encode() for text in texts}
    return [(place, text) for place, data in every_byte(tree) for text, mark in wanted.items() if mark in data]
