"""Releases: formats, versions, checksums, the public tree, its pointer and its history."""

from typing import Any

from khochung import warehouse
from khochung.release import ledger, store
from khochung.release.ledger import Item, Release
from khochung.release.publish import publish
from khochung.release.verify import Findings, verify
from khochung.settings import Settings


def list_releases(settings: Settings) -> list[dict[str, Any]]:
    """The releases on disk, oldest first: id, day, build, whether it is public, and how many datasets in each state."""
    public = store.standing_id(settings)
    found = []
    for release_id in store.identifiers(settings):
        release = Release.parse(store.read_manifest(settings, release_id)["release"])
        states = [item.state for item in release.items]
        counts = {state: states.count(state) for state in ("new", "unchanged", "held")}
        head = {
            "release_id": release_id,
            "as_of": release.as_of,
            "build_id": release.build_id,
            "public": release_id == public,
        }
        found.append(head | counts)
    return found


def rollback(settings: Settings, release_id: str) -> Release:
    """Make an earlier release public again, after verifying it. Numbers of the versions left behind are not reused."""
    with store.locked(settings), warehouse.connect(settings, "operator", autocommit=True) as connection:
        store.heal(settings, connection)
        release = Release.parse(store.read_manifest(settings, release_id)["release"])
        verify(settings.releases / release_id)
        store.point(settings, release_id)
        return release


__all__ = ["Findings", "Item", "Release", "ledger", "list_releases", "publish", "rollback", "verify"]
