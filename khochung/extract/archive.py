"""Zip files from outside: what is inside is looked at before anything is unpacked.

Sizes in a zip's directory can be trusted as bounds, since the unpacker reads no more than they say and then checks.
"""

import fnmatch
import shutil
import stat
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

from khochung.errors import ContractError

LARGEST = 8 << 30  # bytes of all members together
MOST_MEMBERS = 10_000
HIGHEST_RATIO = 200  # deflate reaches 1,000 on zeros; files of data and the parts of a workbook stay below 100
HARMLESS = 1 << 20  # bytes below which a ratio says nothing
_ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".tar", ".jar", ".cab", ".arj", ".iso")
_WORKBOOKS = (".xlsx", ".xlsm")


def check(packed: ZipFile, name: str) -> list[ZipInfo]:
    """The members of an archive. Raises ContractError for bombs, locked members, links and paths that lead outside."""
    members = packed.infolist()
    total = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS or total > LARGEST:
        raise ContractError(
            f"{name}: {len(members):,} members of {total:,} bytes are more than we unpack; ask the owner to split it"
        )
    for member in members:
        fault = _fault(member)
        if fault:
            raise ContractError(f"{name}: member {member.filename!r:.80} {fault}; ask the owner for a plain archive")
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise ContractError(f"{name}: two members have one name; ask the owner for the file again")
    return members


def _fault(member: ZipInfo) -> str | None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in member.filename or "\0" in member.orig_filename:
        return "has a path that leads outside"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link"
    if member.flag_bits & 1:
        return "is locked with a password"
    if member.file_size > HARMLESS and member.file_size > HIGHEST_RATIO * member.compress_size:
        return f"unpacks to {member.file_size:,} bytes from {member.compress_size:,}: a bomb"
    return None


def unpack(path: Path, pattern: str, name: str, into: Path) -> list[tuple[str, Path]]:
    """The members whose name fits `pattern`, in the order of their names, as files below `into`.

    Raises ContractError when none fits, when an archive is packed into the archive, or when a member is damaged.
    """
    try:
        with ZipFile(path) as packed:
            members = [member for member in check(packed, name) if not member.is_dir()]
            for member in members:
                if member.filename.lower().endswith(_ARCHIVES):
                    raise ContractError(
                        f"{name}: member {member.filename!r:.80} is itself an archive; ask the owner for a plain one"
                    )
            chosen = sorted((m for m in members if _fits(m.filename, pattern)), key=lambda member: member.filename)
            if not chosen:
                raise ContractError(
                    f"{name}: none of its {len(members)} members is named {pattern}; correct `member`, or ask the owner"
                )
            return [
                (member.filename, _unpacked(packed, member, into / f"{path.name}-{place}", name))
                for place, member in enumerate(chosen)
            ]
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ContractError(
            f"{name} cannot be unpacked ({type(error).__name__}); it is damaged: ask the owner for it again"
        ) from None


def _fits(filename: str, pattern: str) -> bool:
    """The pattern is for the member's name without its folders."""
    return fnmatch.fnmatchcase(PurePosixPath(filename.replace("\\", "/")).name, pattern)


def _unpacked(packed: ZipFile, member: ZipInfo, target: Path, name: str) -> Path:
    with packed.open(member) as source, target.open("wb") as stream:
        shutil.copyfileobj(source, stream, 1 << 20)
    with target.open("rb") as stream:
        is_archive = stream.read(4) in (b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf")
    if is_archive and not member.filename.lower().endswith(_WORKBOOKS):
        raise ContractError(
            f"{name}: member {member.filename!r:.80} is itself an archive; ask the owner for a plain one"
        )
    return target
