"""Withdrawal of a version: its bytes are gone, a tombstone and the public log say so, its number never returns.

The ledger of released cells keeps what it showed, since somebody may have it. Earlier releases on this machine that hold
the version are removed with it, so there is no rolling back to them.
"""

import json
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from khochung import contract, warehouse
from khochung.contract import Dataset
from khochung.disclosure import released
from khochung.errors import GateError
from khochung.gate.admission import Gatekeeper
from khochung.release import signing, store, tree
from khochung.release.catalogue import Checks, VersionFact, Withdrawal, in_force
from khochung.release.ledger import Item, Release
from khochung.release.plan import Job, Plan
from khochung.release.publish import carry_out, notice_of
from khochung.settings import TIMEZONE, Settings
from khochung.strict import Text


def withdraw(
    settings: Settings,
    slug: str,
    version: str,
    reason: Text,
    *,
    on: date | None = None,
    datasets: dict[str, Dataset] | None = None,
) -> Release:
    """Take a version out of the public tree, for good. `on`: the day of the withdrawal (default: the business day).

    Raises GateError when the version is not public. Safe to repeat after a kill.
    """
    declared = contract.datasets() if datasets is None else datasets
    with store.locked(settings), warehouse.connect(settings, "operator", autocommit=True) as connection:
        store.heal(settings, connection)
        standing = store.standing(settings)
        if standing is None:
            raise GateError("nothing was released yet: there is no version to withdraw")
        released.catch_up(connection, standing.tree)  # what it showed stays known
        day = on or settings.business_date()
        carried = tree.indexes(standing.tree)
        versions, announced = carried.get(slug, ((), None))
        carried[slug] = _without(slug, versions, version, Withdrawal(day, reason)), announced
        now = datetime.now(TIMEZONE)
        release = standing.release
        gate = Gatekeeper(settings, connection, release.build_id, settings.expectations / "open_data")
        key = signing.secret(settings)
        job = Job(
            settings,
            release.build_id,
            release.as_of,
            now,
            gate,
            standing,
            {},
            connection,
            key,
            release.source_approvals,
        )
        plans = [
            restored(standing, item, declared[item.slug], carried) for item in release.items if item.slug in declared
        ]
        return carry_out(job, plans, carried, notice_of(standing))


def _without(slug: str, versions: tuple[VersionFact, ...], version: str, gone: Withdrawal) -> tuple[VersionFact, ...]:
    known = [fact.version for fact in versions if fact.withdrawn is None]
    if version not in known:
        raise GateError(f"{slug} {version} is not public; public are: {', '.join(known) or 'none'}")
    return tuple(replace(fact, files=(), withdrawn=gone) if fact.version == version else fact for fact in versions)


def restored(standing: store.Standing, item: Item, dataset: Dataset, carried: tree.Indexes) -> Plan:
    """What the standing release says of a dataset, over the versions that are left."""
    versions, announced = carried.get(item.slug, ((), None))
    last, state = in_force(versions), standing.state["datasets"][item.slug]
    held = Text(**state["held"]) if state["held"] else None
    if last is None:
        held = held or Text(vi="Phiên bản duy nhất đã được thu hồi.", en="The only version was withdrawn.")
        item = Item(item.slug, None, "held", f"{held.vi} / {held.en}", verdict_id=item.verdict_id)
    elif item.version != last.version:
        item = replace(
            item, version=last.version, state="held" if held else "unchanged", rows=last.rows, bytes=last.bytes,
            content_sha256=last.content_sha256,
        )  # fmt: skip
    else:
        item = replace(item, state="held" if held else "unchanged")
    return Plan(dataset, item, versions, held, Checks(**state["checks"]), _report(standing, item.slug), announced)


def _report(standing: store.Standing, slug: str) -> dict[str, Any] | None:
    path = standing.tree / "data" / slug / "quality.json"
    report: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return report
