"""Files and folders that survive a power cut: written, flushed, linked, renamed."""

import os
from collections.abc import Iterator
from pathlib import Path

from khochung.digest import sha256

SUMS = "SHA256SUMS"
SIGNATURE = f"{SUMS}.minisig"


def write(path: Path, data: bytes) -> None:
    """Create `path` with `data`, on disk before this returns. An existing file is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def replace(path: Path, data: bytes) -> None:
    """Put `data` at `path` in one step: a reader sees the old bytes or the new ones."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    write(fresh, data)
    os.replace(fresh, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def link_tree(source: Path, target: Path) -> None:
    """The same files under another folder, without copying a byte."""
    for path in walk(source):
        fresh = target / path.relative_to(source)
        fresh.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, fresh)


def walk(folder: Path) -> Iterator[Path]:
    """Every entry below `folder` that is not a plain folder, in a stable order; links are not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names + [f for f in folders if (Path(place) / f).is_symlink()]):
            yield Path(place) / name


def checksums(folder: Path, known: dict[int, str] | None = None) -> bytes:
    """The text of SHA256SUMS for everything below `folder` but that file and its signature; `sha256sum -c` reads it.

    `known` keeps digests by inode, so that a file with several names is read once.
    """
    seen = {} if known is None else known
    lines = []
    for path in walk(folder):
        if path in (folder / SUMS, folder / SIGNATURE):
            continue
        inode = path.stat().st_ino
        seen[inode] = seen.get(inode) or sha256(path)
        lines.append(f"{seen[inode]}  {path.relative_to(folder).as_posix()}\n")
    return "".join(lines).encode()
