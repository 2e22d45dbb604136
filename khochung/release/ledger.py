"""The release's rows in the warehouse: verdicts read, releases written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import psycopg

from khochung.errors import GateError
from khochung.release.versions import Version

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
class Release:
    """A finished release. `created` is False when nothing had changed and the standing one was returned."""

    release_id: str
    as_of: date
    build_id: int
    items: tuple[Item, ...]
    created: bool = True

    def record(self) -> dict[str, Any]:
        body = asdict(self) | {"as_of": self.as_of.isoformat()}
        body.pop("created")
        return body

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> "Release":
        items = tuple(Item(**item) for item in record["items"])
        return cls(record["release_id"], date.fromisoformat(record["as_of"]), record["build_id"], items)


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


def versions_used(connection: Connection) -> dict[str, set[Version]]:
    """Every version number ever given out, by dataset; a rolled-back number is not given out again."""
    used: dict[str, set[Version]] = {}
    for slug, version in connection.execute("select distinct slug, version from ops.release_item where version <> ''"):
        used.setdefault(slug, set()).add(Version.parse(version))
    return used


def known_releases(connection: Connection) -> set[str]:
    return {row[0] for row in connection.execute("select release_id from ops.release")}


def record(connection: Connection, release: Release) -> None:
    """The release and its items in one transaction. Recording again what is recorded changes nothing.

    A release of a warehouse that is gone (its build is unknown here) stays on disk only.
    """
    with connection.transaction():
        inserted = connection.execute(
            "insert into ops.release (release_id, as_of, build_id) "
            "select %s, %s, %s where exists (select from ops.build where build_id = %s) on conflict do nothing "
            "returning release_id",
            [release.release_id, release.as_of, release.build_id, release.build_id],
        ).fetchone()
        if inserted is None:
            return
        for item in release.items:
            connection.execute(
                "insert into ops.release_item (release_id, slug, version, state, reason, verdict_id, content_sha256, "
                "data_rows, approval_id) "
                "values (%s, %s, %s, %s, %s, (select verdict_id from ops.verdict where verdict_id = %s), %s, %s, %s)",
                [
                    release.release_id, item.slug, item.version or "", item.state, item.reason, item.verdict_id,
                    item.content_sha256, item.rows, item.approval_id,
                ],
            )  # fmt: skip


def record_withdrawal(connection: Connection, tombstone: Mapping[str, Any]) -> None:
    """A withdrawn version, once: what `tombstone.json` says."""
    gone = tombstone["withdrawn"]
    connection.execute(
        "insert into ops.withdrawal (slug, version, withdrawn_on, reason_vi, reason_en) values (%s, %s, %s, %s, %s) "
        "on conflict do nothing",
        [tombstone["dataset"], tombstone["version"], gone["on"], gone["reason"]["vi"], gone["reason"]["en"]],
    )
