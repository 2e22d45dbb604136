"""Publishing: from a judged build to a public release, in one pass that can be cut at any point and run again."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from khochung import contract, portal, province, warehouse
from khochung.contract import Dataset
from khochung.disclosure import released
from khochung.errors import GateError
from khochung.gate.admission import Gatekeeper
from khochung.release import ledger, signing, store, tree
from khochung.release.catalogue import Site
from khochung.release.ledger import Patch, Release
from khochung.release.plan import Job, Plan, plan_all
from khochung.release.verify import verify
from khochung.release.versions import Version
from khochung.settings import TIMEZONE, Settings
from khochung.strict import Text


def publish(
    settings: Settings,
    build_id: int,
    as_of: date,
    *,
    datasets: Mapping[str, Dataset] | None = None,
    suites: Path | None = None,
    notice: Text | None = None,
    now: datetime | None = None,
) -> Release:
    """Release every dataset whose newest verdict on exactly this build passed; the others keep their last version.

    `notice`: a sentence on every page (default: `KHOCHUNG_NOTICE` and `KHOCHUNG_NOTICE_EN`). `now`: decides embargoes.
    Returns the standing release with `created=False` when nothing changed. Raises GateError when the build is not the newest one, or the
    finished tree does not verify; the public tree is then untouched.
    """
    declared = contract.datasets() if datasets is None else datasets
    if not declared:
        raise GateError("no dataset is declared under models/open_data: there is nothing to release")
    with store.locked(settings), warehouse.connect(settings, "operator", autocommit=True) as connection:
        store.heal(settings, connection)
        ledger.require_newest(connection, build_id)
        standing = store.standing(settings)
        if standing:
            released.catch_up(connection, standing.tree)
        if standing and as_of < standing.release.as_of:
            raise GateError(
                f"as_of {as_of} is before {standing.release.as_of} of the standing release: latest never moves back"
            )
        gate = Gatekeeper(settings, connection, build_id, suites or settings.expectations / "open_data")
        used = versions_used(settings, connection)
        moment = now or datetime.now(TIMEZONE)
        key = signing.secret(settings)
        job = Job(settings, build_id, as_of, moment, gate, standing, used, connection, key, gate.source_approvals)
        carried = tree.indexes(standing.tree) if standing else {}
        return carry_out(job, plan_all(job, declared), carried, notice or _notice())


def _notice() -> Text | None:
    vi = os.environ.get("KHOCHUNG_NOTICE", "").strip()
    return Text(vi=vi, en=os.environ.get("KHOCHUNG_NOTICE_EN", "").strip() or vi) if vi else None


def versions_used(settings: Settings, connection: ledger.Connection) -> dict[str, set[Version]]:
    """By dataset: what the ledger remembers and what lies in any release still on disk."""
    used = ledger.versions_used(connection)
    for path in settings.releases.glob("[0-9]*/data/*/v/*"):
        used.setdefault(path.parent.parent.name, set()).add(Version.parse(path.name))
    return used


def notice_of(standing: store.Standing) -> Text | None:
    """The notice that the standing release has on its pages."""
    notice = standing.state["notice"]
    return Text(**notice) if notice else None


def carry_out(
    job: Job, plans: list[Plan], carried: tree.Indexes, notice: Text | None, patches: tuple[Patch, ...] = ()
) -> Release:
    """Build the release that the plans make, verify it, and make it public; or the standing one, if it is the same.

    patches: what is said of old versions that are corrected; the release is else of the build of the one that stands.
    """
    build_id = job.standing.release.build_id if job.standing and patches else job.build_id
    base_url = os.environ.get("KHOCHUNG_PUBLIC_URL", "").rstrip("/")
    fingerprint = _fingerprint(job, plans, carried, notice, base_url)
    if job.standing and job.standing.fingerprint == fingerprint:
        kept = tuple(plan.item for plan in plans)
        return replace(job.standing.release, items=kept, created=False)
    if job.standing is None and all(plan.held for plan in plans):
        reasons = "".join(f"\n  {plan.dataset.slug}: {plan.held.en}" for plan in plans if plan.held)
        raise GateError(f"nothing may be released yet, and there is no earlier release:{reasons}")
    release_id = store.next_id(job.settings, job.ledger, job.as_of)
    folder = store.partial(job.settings, release_id)
    site = Site(
        release_id, job.as_of, build_id, base_url, notice, (), province.served(), public_key=job.key.public.line
    )
    finished, _ = tree.build(job, folder, plans, carried, site)
    verify(folder)
    items = tuple(plan.item for plan in finished)
    release = Release(release_id, job.as_of, build_id, items, patches, job.source_approvals)
    store.promote(job.settings, folder, release, fingerprint, _state(finished, notice))
    ledger.record(job.settings, job.ledger, release)
    released.catch_up(job.ledger, job.settings.public)
    store.heal(job.settings, job.ledger)
    store.prune(job.settings)
    return release


def _state(plans: list[Plan], notice: Text | None) -> dict[str, Any]:
    """What a later release must know of this one beyond its files."""
    return {
        "notice": notice.model_dump() if notice else None,
        "datasets": {
            plan.dataset.slug: {"held": plan.held.model_dump() if plan.held else None, "checks": asdict(plan.checks)}
            for plan in plans
        },
    }


def _fingerprint(job: Job, plans: list[Plan], carried: tree.Indexes, notice: Text | None, base_url: str) -> str:
    """Everything that the bytes of a release depend on, but for the day and the build."""
    body = [
        {
            "dataset": plan.dataset.model_dump(mode="json", exclude={"declared_in"}),
            "content": plan.item.content_sha256,
            "held": plan.held.model_dump() if plan.held else None,
            "suites": plan.report["suites"] if plan.report else None,
            "failed": [i for i, c in enumerate(plan.report["checks"]) if not c["passed"]] if plan.report else None,
        }
        for plan in plans
    ]
    versions = {(slug, fact.version, bool(fact.withdrawn)) for slug, (facts, _) in carried.items() for fact in facts}
    versions |= {(plan.dataset.slug, plan.content.version, False) for plan in plans if plan.content}
    dressing = [
        notice.model_dump() if notice else None, base_url, portal.fingerprint(), job.key.public.line, sorted(versions)
    ]  # fmt: skip
    return hashlib.sha256(json.dumps([body, dressing], sort_keys=True).encode()).hexdigest()
