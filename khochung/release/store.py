"""The releases on disk: complete docroots side by side, and one symbolic link that says which is public.

The pointer is the truth. A release is built in `.partial-<id>`, renamed to `<id>` when whole, made public by
`rename(2)` of the link, and written to the ledger last. `heal` mends every place at which that can be cut short:
a partial folder, or a whole one that was never public, is removed; a public one that the ledger misses is recorded
from the manifest beside it. Manifests stand outside the docroots.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from khochung.errors import ConfigurationError, GateError
from khochung.release import files, ledger
from khochung.release.ledger import Release
from khochung.settings import Settings

KEEP = 10
_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([1-9][0-9]*)")


@dataclass(frozen=True)
class Standing:
    """The release in force: its record, its docroot, the fingerprint of all that it was made from, and what it says.

    `state`: the notice, and of each dataset why it is held and what the newest verdict said.
    """

    release: Release
    tree: Path
    fingerprint: str
    state: dict[str, Any]


def order(release_id: str) -> tuple[str, int]:
    """Sort key of a release id `YYYY-MM-DD.N`: N counts as a number."""
    match = _NAME.fullmatch(release_id)
    if not match:
        raise GateError(f"{release_id!r} is no release: expected YYYY-MM-DD.N as `khochung release list` shows it")
    return match[1], int(match[2])


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """One writer at a time; the lock falls with its process."""
    settings.releases.mkdir(parents=True, exist_ok=True)
    with (settings.releases / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def identifiers(settings: Settings) -> list[str]:
    """The ids of the whole releases on disk, oldest first."""
    if not settings.releases.is_dir():
        return []
    return sorted((path.name for path in settings.releases.iterdir() if _NAME.fullmatch(path.name)), key=order)


def manifest_path(settings: Settings, release_id: str) -> Path:
    return settings.releases / f"{release_id}.json"


def read_manifest(settings: Settings, release_id: str) -> dict[str, Any]:
    """Raises GateError when the release, or its manifest, is not there."""
    path = manifest_path(settings, release_id)
    if not path.is_file():
        known = ", ".join(identifiers(settings)) or "none"
        raise GateError(f"there is no release {release_id} on disk; kept are: {known}")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def standing_id(settings: Settings) -> str | None:
    """The id that the public link points to, or None before the first release."""
    if settings.public.is_symlink():
        return Path(os.readlink(settings.public)).name
    if settings.public.exists():
        raise ConfigurationError(f"{settings.public.name}/ is a folder, but must be a link to a release: move it away")
    return None


def standing(settings: Settings) -> Standing | None:
    """The release in force, or None. Raises GateError for one whose versions lack what every version has today."""
    release_id = standing_id(settings)
    if release_id is None:
        return None
    manifest = read_manifest(settings, release_id)
    if "state" not in manifest:
        raise GateError(
            f"release {release_id} was made before versions had a history, and cannot be continued: move "
            f"{settings.releases.name}/ and {settings.public.name} aside, keep them, and release anew; the numbers given "
            "out stay spent"
        )
    release = Release.parse(manifest["release"])
    return Standing(release, settings.releases / release_id, manifest["fingerprint"], manifest["state"])


def heal(settings: Settings, connection: ledger.Connection) -> None:
    """Bring disk and ledger back together after a process was killed; call it under the lock."""
    public = standing_id(settings)
    recorded = ledger.known_releases(connection)
    if public is not None:
        release = Release.parse(read_manifest(settings, public)["release"])
        if public not in recorded:
            ledger.record(settings, connection, release)
        ledger.seal_again(settings, connection, release)
    for path in settings.releases.glob(".partial-*"):
        shutil.rmtree(path)
    if public is not None:
        _forget_withdrawn(settings, connection, public)
    for release_id in identifiers(settings):
        never_public = release_id not in recorded and (public is None or order(release_id) > order(public))
        if never_public:
            remove(settings, release_id)
    whole = set(identifiers(settings))
    for path in settings.releases.glob("*.json"):
        if path.stem not in whole:
            path.unlink()


def _forget_withdrawn(settings: Settings, connection: ledger.Connection, public: str) -> None:
    """What the public release calls withdrawn is recorded, and gone from every release on this machine."""
    for tombstone in sorted((settings.releases / public).glob("data/*/v/*/tombstone.json")):
        ledger.record_withdrawal(connection, json.loads(tombstone.read_text(encoding="utf-8")))
        folder = tombstone.parent.relative_to(settings.releases / public)
        for release_id in identifiers(settings):
            if (settings.releases / release_id / folder / "datapackage.json").exists():
                remove(settings, release_id)


def next_id(settings: Settings, connection: ledger.Connection, as_of: date) -> str:
    """The next number of the day, counting what the ledger remembers and what is on disk."""
    known = ledger.known_releases(connection) | set(identifiers(settings))
    numbers = [order(release_id)[1] for release_id in known if release_id.startswith(f"{as_of.isoformat()}.")]
    return f"{as_of.isoformat()}.{max(numbers, default=0) + 1}"


def partial(settings: Settings, release_id: str) -> Path:
    """An empty folder to build in, on the same file system as the releases."""
    folder = settings.releases / f".partial-{release_id}"
    folder.mkdir(parents=True)
    return folder


def promote(settings: Settings, tree: Path, release: Release, fingerprint: str, state: dict[str, Any]) -> None:
    """Manifest, rename, pointer: after the last of the three the release is public."""
    manifest = {"release": release.record(), "fingerprint": fingerprint, "state": state}
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    files.replace(manifest_path(settings, release.release_id), text.encode())
    os.rename(tree, settings.releases / release.release_id)
    files.sync_folder(settings.releases)
    point(settings, release.release_id)


def point(settings: Settings, release_id: str) -> None:
    """Swing the public link in one step: every request sees the old release or the new one, whole."""
    fresh = settings.home / ".public.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path(settings.releases.name) / release_id)
    os.replace(fresh, settings.public)
    files.sync_folder(settings.home)


def remove(settings: Settings, release_id: str) -> None:
    """Delete a release that is not public. Its name goes first, so that a cut leaves a partial folder."""
    doomed = settings.releases / f".partial-remove-{release_id}"
    os.rename(settings.releases / release_id, doomed)
    manifest_path(settings, release_id).unlink(missing_ok=True)
    shutil.rmtree(doomed)


def prune(settings: Settings, keep: int = KEEP) -> None:
    """Keep the newest releases and the public one; version folders live on through their hard links."""
    public = standing_id(settings)
    for release_id in identifiers(settings)[:-keep]:
        if release_id != public:
            remove(settings, release_id)
