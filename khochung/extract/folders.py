"""Where files are dropped: a folder, or an SFTP server or S3 bucket by its address. We only list and read.

`KHOCHUNG_SOURCE_<NAME>_FOLDER` is a path, `sftp://host[:port]/folder` or `s3://bucket/folder`. A secret does not belong
in an address: `_KEY` and `_SECRET` hold user and password (SFTP) or access key and secret (S3). Without them SFTP takes
the keys and the configuration in ~/.ssh, S3 the variables AWS_*. An SFTP server's own key must stand in known_hosts.
Without it a source has the folder of its name below `KHOCHUNG_SOURCES_FOLDER`, where that is set. A contract with `folder:`
needs neither: its files are reviewed and stand beside `dbt_project/`.
"""

import os
import shutil
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from khochung.contract import Source
from khochung.errors import ConfigurationError, ContractError, SourceRefusedError, SourceUnavailableError
from khochung.landing import DISK_FULL
from khochung.settings import PROJECT, optional, required

SETTLED_S = 2.0  # a file whose size or time moves within it is still being written
CHECKSUM = ".sha256"
_UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload")
_STATE = ("size", "mtime", "ino")
_REFUSED = ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "403")


@dataclass(frozen=True)
class Drop:
    """A file that waits: its name, where it is, its state when it was listed, and whether it may still be written."""

    name: str
    path: str
    state: tuple[Any, ...]
    fresh: bool


@dataclass
class Folder:
    """A place of drops through fsspec. `local` files are read where they are, others are fetched."""

    source: Source
    system: Any
    root: str
    local: bool

    def waiting(self, pattern: str) -> list[Drop]:
        """The files whose name fits, unfinished ones left out. Raises ContractError for a link that leads outside."""
        place, wanted = PurePosixPath(self.root, pattern).parent, _plain(PurePosixPath(pattern).name)
        with reported(self.source):
            entries = self.system.ls(str(place), detail=True)
        named = [(PurePosixPath(str(entry["name"])).name, entry) for entry in entries]
        return [
            self._drop(name, entry)
            for name, entry in sorted(named, key=lambda each: each[0])
            if fnmatchcase(_plain(name), wanted)
            and not name.lower().endswith((*_UNFINISHED, CHECKSUM))
            and name[0] not in ".~"
        ]

    def _drop(self, name: str, entry: dict[str, Any]) -> Drop:
        path = str(entry["name"])
        if self.local:
            path = os.path.realpath(path)
            if not Path(path).is_relative_to(os.path.realpath(self.root)):
                raise ContractError(
                    f"source {self.source.name}: {name} is a link that leads out of the folder; ask for the file itself"
                )
        if not Path(path).is_file() if self.local else entry["type"] != "file":
            raise ContractError(
                f"source {self.source.name}: {name} is no file; have it removed, or correct `path` in the contract"
            )
        entry = self.system.info(path) if self.local else entry  # of the file, not of the link to it
        return Drop(name, path, _state(entry), not self.local or time.time() - entry["mtime"] < SETTLED_S)

    def settled(self, drops: list[Drop]) -> list[Drop]:
        """Those that nobody writes any more: untouched for a while, or the same at two looks."""
        if any(drop.fresh for drop in drops):
            time.sleep(SETTLED_S)
        return [drop for drop in drops if not drop.fresh or self.unchanged(drop)]

    def unchanged(self, drop: Drop) -> bool:
        """The file is what it was when it was listed."""
        try:
            with reported(self.source):
                return _state(self.system.info(drop.path)) == drop.state
        except FileNotFoundError:
            return False

    def promised(self, drop: Drop) -> str | None:
        """The SHA-256 that the owner wrote into `<file>.sha256`, in the form of `sha256sum`; None without that file."""
        try:
            with reported(self.source), self.system.open(drop.path + CHECKSUM, "rb") as stream:
                words = stream.read(1000).decode("ascii", "replace").split()
        except FileNotFoundError:
            return None
        return words[0].lower() if words else ""

    def fetched(self, drop: Drop, into: Path) -> Path:
        """The file on this machine. Raises SourceUnavailableError when it changed on the way."""
        if self.local:
            return Path(drop.path)
        target = into / drop.name
        with reported(self.source), self.system.open(drop.path, "rb") as source, target.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
        if target.stat().st_size != drop.state[0] or not self.unchanged(drop):
            raise SourceUnavailableError(
                f"source {self.source.name}: {drop.name} changed while it was fetched; try again"
            )
        return target


def opened(source: Source) -> Folder:
    """The place where a source drops its files, from the environment.

    Raises ConfigurationError for an address that cannot be used, SourceUnavailableError when the place is not there.
    """
    variable = f"KHOCHUNG_SOURCE_{source.name.upper()}_FOLDER"
    meaning = f"the folder in which source {source.name} drops its files"
    address = optional(variable) or _usual(source) or required(variable, meaning)
    if "://" not in address:
        from fsspec.implementations.local import LocalFileSystem

        if not Path(address).is_dir():
            raise SourceUnavailableError(
                f"source {source.name}: its folder is not there; mount it, or correct {variable}"
            )
        return Folder(source, LocalFileSystem(), str(Path(address).absolute()), local=True)
    url = urlsplit(address)
    if url.password:
        raise ConfigurationError(
            f"{variable} carries a password; put it into KHOCHUNG_SOURCE_{source.name.upper()}_SECRET"
        )
    if url.scheme not in ("sftp", "s3") or not url.hostname:
        raise ConfigurationError(
            f"{variable} is no folder that we can read: a path, sftp://host/folder or s3://bucket/folder"
        )
    with reported(source):
        if url.scheme == "sftp":
            return Folder(source, _sftp(source, url), url.path or "/", local=False)
        return Folder(source, _s3(source), f"{url.netloc}{url.path}".rstrip("/"), local=False)


def _usual(source: Source) -> str:
    """Where the files of a source are unless somebody says otherwise; '' when nobody has said anything."""
    if source.folder:
        return str(PROJECT / source.folder)
    shared = optional("KHOCHUNG_SOURCES_FOLDER")
    return f"{shared.rstrip('/')}/{source.name}" if shared else ""


def _credentials(source: Source) -> tuple[str | None, str | None]:
    prefix = f"KHOCHUNG_SOURCE_{source.name.upper()}"
    return os.environ.get(f"{prefix}_KEY") or None, os.environ.get(f"{prefix}_SECRET") or None


def _sftp(source: Source, url: SplitResult) -> Any:
    from sshfs import SSHFileSystem

    user, password = _credentials(source)
    options = {"port": url.port, "username": user or url.username, "password": password}
    given = {name: value for name, value in options.items() if value}
    # Left to itself SSHFileSystem trusts every server; the empty tuple brings back asyncssh's check of known_hosts.
    return SSHFileSystem(url.hostname, known_hosts=(), connect_timeout=30, skip_instance_cache=True, **given)


def _s3(source: Source) -> Any:
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import S3FileSystem

    key, secret = _credentials(source)
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL", ""))
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    system = S3FileSystem(
        access_key=key, secret_key=secret, region=region, endpoint_override=endpoint.netloc or None,
        scheme=endpoint.scheme or "https", connect_timeout=10, request_timeout=60,
    )  # fmt: skip
    return ArrowFSWrapper(system, skip_instance_cache=True)


@contextmanager
def reported(source: Source) -> Iterator[None]:
    """Turns what a file system raises into errors of a source; a file that is not there stays FileNotFoundError."""
    variable = f"KHOCHUNG_SOURCE_{source.name.upper()}"
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, _ssh_error("Error")) as error:
        if getattr(error, "errno", None) in DISK_FULL:
            raise  # ours, not the source's
        if isinstance(error, _ssh_error("HostKeyNotVerifiable")):
            raise SourceRefusedError(
                f"source {source.name}: the server is not the one in known_hosts; compare its key with the owner, then enter it"
            ) from error
        refused = isinstance(error, PermissionError | _ssh_error("PermissionDenied"))
        if refused or any(code in str(error) for code in _REFUSED):
            raise SourceRefusedError(
                f"source {source.name} refused us; correct {variable}_KEY and _SECRET, or ask the owner for the right to read"
            ) from error
        raise SourceUnavailableError(
            f"source {source.name}: its folder cannot be read ({type(error).__name__}); is {variable}_FOLDER right, and the server up?"
        ) from error


def _ssh_error(name: str) -> type[Exception]:
    """Looked up when something has failed: importing asyncssh takes half a second."""
    import asyncssh

    return cast("type[Exception]", getattr(asyncssh, name))


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _state(entry: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entry.get(field) for field in _STATE)
