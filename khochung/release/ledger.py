"""The release's rows in the warehouse: verdicts read, releases written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import psycopg

from khochung.errors import GateError
from khochung.gate import past
from khochung.release.versions import Version
from khochung.seal import seal
from khochung.settings import Settings

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Item:
    """One dataset of a release. `version` is the one in force; None when nothing was ever released.

    state: `new` (this release made the version), `unchanged`, or `held` (refused for `reason`; the last good stays).
    `until`: an embargo is the reason, and ends then (ISO 8601).
    """

    slug: str
    version: str | None
    state: str
    reason: str | None = None
    rows: int | None = None
    bytes: int | None = None
    content_sha256: str | None = None
    verdict_id: int | None = None
    approval_id: int | None = None
    until: str | None = None


@dataclass(frozen=True)
class Patch:
    """A corrected edition of an old version, beside a later one that stays in force. `build_id`: whose data it has."""

    slug: str
    version: str
    corrects: str
    build_id: int
    verdict_id: int
    approval_id: int | None
    content_sha256: str
    rows: int
    reason_vi: str
    reason_en: str


@dataclass(frozen=True)
class Release:
    """A finished release. `created` is False when nothing had changed and the standing one was returned."""

    release_id: str
    as_of: date
    build_id: int
    items: tuple[Item, ...]
    patches: tuple[Patch, ...] = ()
    source_approvals: tuple[int, ...] = ()
    created: bool = True

    def record(self) -> dict[str, Any]:
        body = asdict(self) | {"as_of": self.as_of.isoformat()}
        body.pop("created")
        return body

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> "Release":
        items = tuple(Item(**item) for item in record["items"])
        patches = tuple(Patch(**patch) for patch in record.get("patches", ()))
        approvals = tuple(record.get("source_approvals", ()))
        as_of = date.fromisoformat(record["as_of"])
        return cls(record["release_id"], as_of, record["build_id"], items, patches, approvals)


def require_newest(connection: Connection, build_id: int) -> None:
    """Refuse a build that has not ended well, or whose tables a later one may have replaced. Raises GateError."""
    row = connection.execute("select max(build_id) from ops.build").fetchone()
    newest = row[0] if row else None
    if newest is None or newest < build_id:
        raise GateError(f"there is no build {build_id}: run the warehouse DAG first")
    if newest > build_id:
        raise GateError(f"build {newest} has started since build {build_id}: judge and release build {newest} instead")
    state = connection.execute("select status from ops.build where build_id = %s", [build_id]).fetchone()
    if state is None or state[0] != "succeeded":
        raise GateError(
            f"build {build_id} has not ended well ({state[0] if state else 'gone'}): nothing of it goes out"
        )


def newest_build(connection: Connection) -> int:
    """The newest build, when it has ended well. Raises GateError as `require_newest`."""
    row = connection.execute("select max(build_id) from ops.build").fetchone()
    newest = row[0] if row and row[0] else 0
    require_newest(connection, newest)
    return newest


def versions_used(connection: Connection) -> dict[str, set[Version]]:
    """Every version number ever given out, by dataset; a rolled-back number is not given out again."""
    used: dict[str, set[Version]] = {}
    given = "select slug, version from ops.release_item where version <> '' union select slug, version from ops.patch"
    for slug, version in connection.execute(given):
        used.setdefault(slug, set()).add(Version.parse(version))
    return used


def known_releases(connection: Connection) -> set[str]:
    return {row[0] for row in connection.execute("select release_id from ops.release")}


def record(settings: Settings, connection: Connection, release: Release) -> None:
    """The release, its items and what it corrects in one transaction. Recording again what is recorded changes nothing.

    A release of a warehouse that is gone (its build is unknown here) stays on disk only.
    """
    with connection.transaction():
        inserted = connection.execute(
            "insert into ops.release (release_id, as_of, build_id, source_approvals, seal) "
            "select %s, %s, %s, %s, %s where exists (select from ops.build where build_id = %s) on conflict do nothing "
            "returning release_id",
            [
                release.release_id, release.as_of, release.build_id, list(release.source_approvals),
                _seal(settings, release), release.build_id,
            ],
        ).fetchone()  # fmt: skip
        if inserted is None:
            return
        for item in release.items:
            _record_item(settings, connection, release, item)
        for patch in release.patches:
            connection.execute(
                "insert into ops.patch (slug, version, corrects, release_id, build_id, verdict_id, approval_id, "
                "content_sha256, data_rows, reason_vi, reason_en) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    patch.slug, patch.version, patch.corrects, release.release_id, patch.build_id, patch.verdict_id,
                    patch.approval_id, patch.content_sha256, patch.rows, patch.reason_vi, patch.reason_en,
                ],
            )  # fmt: skip


def seal_again(settings: Settings, connection: Connection, release: Release) -> None:
    """Write what its manifest says of a recorded release once more where a row has no seal, which is from before there was
    one, or is missing."""
    found = connection.execute(
        "select count(*), count(item.seal), count(release.seal) from ops.release_item as item "
        "join ops.release using (release_id) where release_id = %s",
        [release.release_id],
    ).fetchone()
    known = connection.execute("select from ops.release where release_id = %s", [release.release_id]).fetchone()
    if known is None or found == (len(release.items),) * 3:
        return
    with connection.transaction():
        connection.execute(
            "update ops.release set build_id = %s, source_approvals = %s, seal = %s where release_id = %s",
            [release.build_id, list(release.source_approvals), _seal(settings, release), release.release_id],
        )
        for item in release.items:
            _record_item(settings, connection, release, item)


def _record_item(settings: Settings, connection: Connection, release: Release, item: Item) -> None:
    connection.execute(
        "insert into ops.release_item (release_id, slug, version, state, reason, verdict_id, content_sha256, "
        "data_rows, approval_id, seal) "
        "values (%s, %s, %s, %s, %s, (select verdict_id from ops.verdict where verdict_id = %s), %s, %s, %s, %s) "
        "on conflict (release_id, slug) do update set version = excluded.version, state = excluded.state, "
        "approval_id = excluded.approval_id, seal = excluded.seal",
        [
            release.release_id, item.slug, item.version or "", item.state, item.reason, item.verdict_id,
            item.content_sha256, item.rows, item.approval_id, _item_seal(settings, release, item),
        ],
    )  # fmt: skip


def _seal(settings: Settings, release: Release) -> str:
    return seal(settings, past.release_record(release.release_id, release.build_id, release.source_approvals))


def _item_seal(settings: Settings, release: Release, item: Item) -> str:
    record = past.item_record(release.release_id, item.slug, item.version or "", item.state, item.approval_id)
    return seal(settings, record)


def record_withdrawal(connection: Connection, tombstone: Mapping[str, Any]) -> None:
    """A withdrawn version, once: what `tombstone.json` says."""
    gone = tombstone["withdrawn"]
    connection.execute(
        "insert into ops.withdrawal (slug, version, withdrawn_on, reason_vi, reason_en) values (%s, %s, %s, %s, %s) "
        "on conflict do nothing",
        [tombstone["dataset"], tombstone["version"], gone["on"], gone["reason"]["vi"], gone["reason"]["en"]],
    )
