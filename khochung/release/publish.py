"""Publishing: from a judged build to a public release, in one pass that can be cut at any point and run again."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from khochung import contract, portal, province, warehouse
from khochung.contract import Dataset
from khochung.disclosure import released
from khochung.disclosure.screen import Candidate, Screening, screen
from khochung.errors import GateError
from khochung.gate import last_version
from khochung.gate.admission import Admission, Gatekeeper
from khochung.release import catalogue, describe, files, ledger, store
from khochung.release.catalogue import Checks, Entry, Site, VersionFact
from khochung.release.content import Content, content_sha256, read
from khochung.release.describe import FileFact, json_bytes
from khochung.release.formats import FORMATS, same_cells, write_csv
from khochung.release.ledger import Item, Release
from khochung.release.verify import verify
from khochung.release.versions import Version, next_free
from khochung.settings import Settings
from khochung.strict import Text


@dataclass(frozen=True)
class _Plan:
    """What will happen to one dataset. `content` is set when a new version is to be written."""

    dataset: Dataset
    item: Item
    versions: tuple[VersionFact, ...]
    held: Text | None
    checks: Checks
    report: dict[str, Any] | None
    content: Content | None = None
    screening: Screening | None = None


@dataclass(frozen=True)
class _Job:
    """One call of `publish`: what every step needs to know."""

    settings: Settings
    build_id: int
    as_of: date
    gate: Gatekeeper
    standing: store.Standing | None
    used: Mapping[str, set[Version]]
    ledger: ledger.Connection


def publish(
    settings: Settings,
    build_id: int,
    as_of: date,
    *,
    datasets: Mapping[str, Dataset] | None = None,
    suites: Path | None = None,
    notice: Text | None = None,
) -> Release:
    """Release every dataset whose newest verdict on exactly this build passed; the others keep their last version.

    `notice`: a sentence on every page (default: `KHOCHUNG_NOTICE` and `KHOCHUNG_NOTICE_EN`). Returns the standing
    release with `created=False` when nothing changed. Raises GateError when the build is not the newest one, or the
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
        used = _versions_used(settings, connection)
        job = _Job(settings, build_id, as_of, gate, standing, used, connection)
        plans = _plan_all(job, declared)
        return _carry_out(job, plans, notice or _notice())


def _notice() -> Text | None:
    vi = os.environ.get("KHOCHUNG_NOTICE", "").strip()
    return Text(vi=vi, en=os.environ.get("KHOCHUNG_NOTICE_EN", "").strip() or vi) if vi else None


def _versions_used(settings: Settings, connection: ledger.Connection) -> dict[str, set[Version]]:
    """By dataset: what the ledger remembers and what lies in any release still on disk."""
    used = ledger.versions_used(connection)
    for path in settings.releases.glob("[0-9]*/data/*/v/*"):
        used.setdefault(path.parent.parent.name, set()).add(Version.parse(path.name))
    return used


def _plan_all(job: _Job, declared: Mapping[str, Dataset]) -> list[_Plan]:
    # The publisher's role sees open_data and nothing else; one snapshot, so that linked datasets agree.
    with warehouse.connect(job.settings, "publisher") as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        return _screened(job, connection, [_plan(job, connection, dataset) for dataset in declared.values()], declared)


def _screened(
    job: _Job, publisher: ledger.Connection, plans: list[_Plan], declared: Mapping[str, Dataset]
) -> list[_Plan]:
    """The plans with the verdict of the disclosure audit; what it turns down is held."""
    fresh = [Candidate(p.dataset, p.content.names, p.content.rows) for p in plans if p.content is not None]
    found = screen(job.ledger, publisher, fresh, declared, job.build_id)
    return [_with(plan, found.get(plan.dataset.slug)) for plan in plans]


def _with(plan: _Plan, screening: Screening | None) -> _Plan:
    if screening is None or screening.reason is None:
        return replace(plan, screening=screening)
    held = replace(
        _item(plan.dataset.slug, plan.versions, Admission(screening.reason)),
        state="held",
        reason=f"{screening.reason.vi} / {screening.reason.en}",
        verdict_id=plan.item.verdict_id,
        approval_id=plan.item.approval_id,
    )
    return replace(plan, item=held, held=screening.reason, content=None)


def _plan(job: _Job, connection: ledger.Connection, dataset: Dataset) -> _Plan:
    versions = _standing_versions(job.standing, dataset.slug)
    admission = job.gate.admit(connection, dataset)
    reason, checks = admission.held, _checks(admission)
    report = describe.quality(dataset, None, admission.judged, job.as_of) if admission.judged else None
    item = _item(dataset.slug, versions, admission)
    if reason is None:
        try:
            with connection.transaction():
                content = read(connection, dataset)
        except GateError as error:
            reason = Text(
                vi=f"Dữ liệu không công bố được như khai báo: {error}",
                en=f"The data cannot be published as declared: {error}",
            )
    if reason is not None:
        held = replace(item, state="held", reason=f"{reason.vi} / {reason.en}")
        return _Plan(dataset, held, versions, reason, checks, report)
    digest = content_sha256(dataset, write_csv(content))
    if versions and versions[0].content_sha256 == digest:
        return _Plan(dataset, replace(item, state="unchanged"), versions, None, checks, report)
    fresh = str(next_free(job.used.get(dataset.slug, set()), job.as_of))
    item = replace(item, state="new", version=fresh, rows=len(content.rows), content_sha256=digest)
    last_version.keep(job.ledger, connection, dataset, fresh)
    return _Plan(dataset, item, versions, None, checks, report, content)


def _item(slug: str, versions: tuple[VersionFact, ...], admission: Admission) -> Item:
    verdict_id = admission.judged[0].verdict.verdict_id if admission.judged else None
    approval_id = admission.approval_id
    if not versions:
        return Item(slug, None, "held", verdict_id=verdict_id, approval_id=approval_id)
    last = versions[0]
    return Item(
        slug, last.version, "unchanged", None, last.rows, last.bytes, last.content_sha256, verdict_id, approval_id
    )


def _checks(admission: Admission) -> Checks:
    verdicts = [one.verdict for one in admission.judged]
    passed = bool(verdicts) and all(verdict.passed for verdict in verdicts)
    return Checks(sum(verdict.evaluated for verdict in verdicts), sum(verdict.failed for verdict in verdicts), passed)


def _standing_versions(standing: store.Standing | None, slug: str) -> tuple[VersionFact, ...]:
    index = standing.tree / "data" / slug / "versions.json" if standing else None
    if index is None or not index.is_file():
        return ()
    content = json.loads(index.read_text(encoding="utf-8"))
    return tuple(VersionFact.parse(record) for record in content["versions"])


def _carry_out(job: _Job, plans: list[_Plan], notice: Text | None) -> Release:
    base_url = os.environ.get("KHOCHUNG_PUBLIC_URL", "").rstrip("/")
    fingerprint = _fingerprint(plans, notice, base_url)
    if job.standing and job.standing.fingerprint == fingerprint:
        kept = tuple(plan.item for plan in plans)
        return replace(job.standing.release, items=kept, created=False)
    if job.standing is None and all(plan.held for plan in plans):
        reasons = "".join(f"\n  {plan.dataset.slug}: {plan.held.en}" for plan in plans if plan.held)
        raise GateError(f"nothing may be released yet, and there is no earlier release:{reasons}")
    release_id = store.next_id(job.settings, job.ledger, job.as_of)
    tree = store.partial(job.settings, release_id)
    if job.standing and (job.standing.tree / "data").is_dir():
        _carry_versions(job.standing.tree / "data", tree / "data")
    finished = [_write_version(job, tree, plan) for plan in plans]
    entries = tuple(_entry(plan) for plan in finished)
    site = Site(release_id, job.as_of, job.build_id, base_url, notice, entries, province.served())
    _write_around(tree, site, finished, job.standing.tree if job.standing else None)
    verify(tree)
    release = Release(release_id, job.as_of, job.build_id, tuple(plan.item for plan in finished))
    store.promote(job.settings, tree, release, fingerprint)
    ledger.record(job.ledger, release)
    released.catch_up(job.ledger, job.settings.public)
    store.prune(job.settings)
    return release


def _fingerprint(plans: list[_Plan], notice: Text | None, base_url: str) -> str:
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
    dressing = [notice.model_dump() if notice else None, base_url, portal.fingerprint()]
    return hashlib.sha256(json.dumps([body, dressing], sort_keys=True).encode()).hexdigest()


def _carry_versions(standing: Path, fresh: Path) -> None:
    """Hard links to every version of the release before, also of datasets that are no longer declared."""
    for dataset in sorted(standing.iterdir()):
        if (dataset / "v").is_dir():
            files.link_tree(dataset / "v", fresh / dataset.name / "v")
        index = dataset / "versions.json"
        if index.is_file():
            files.write(fresh / dataset.name / "versions.json", index.read_bytes())


def _write_version(job: _Job, tree: Path, plan: _Plan) -> _Plan:
    """Write a new version's folder, read every data file back, and return the plan with its final figures."""
    content, version = plan.content, plan.item.version
    if content is None or version is None:
        return plan
    folder = tree / "data" / plan.dataset.slug / "v" / version
    if folder.exists():
        raise GateError(f"{plan.dataset.slug} {version} exists already: a published version is never overwritten")
    facts = [_write_format(folder, content, form.suffix) for form in FORMATS]
    tabular = [form.tabular for form in FORMATS]
    digest = plan.item.content_sha256 or ""
    package = describe.datapackage(content, version, job.as_of, zip(facts, tabular, strict=True), digest)
    beside = {
        "datapackage.json": package,
        "quality.json": (plan.report or {}) | {"version": version},
        "disclosure.json": describe.disclosure(content, version, plan.screening),
    }
    facts += [_write_beside(folder / name, json_bytes(body), "application/json") for name, body in beside.items()]
    facts.append(_write_beside(folder / "SHA256SUMS", files.checksums(folder), "text/plain"))
    made = VersionFact(version, job.as_of, digest, len(content.rows), content.suppressed(), tuple(facts))
    return replace(plan, versions=(made, *plan.versions), item=replace(plan.item, bytes=made.bytes))


def _write_format(folder: Path, content: Content, suffix: str) -> FileFact:
    form = next(form for form in FORMATS if form.suffix == suffix)
    path = folder / f"{content.dataset.slug}.{suffix}"
    fact = _write_beside(path, form.write(content), form.compressed_media_type or form.media_type)
    same_cells(content, form.read(path.read_bytes(), content.dataset))
    return replace(fact, format=suffix)


def _write_beside(path: Path, data: bytes, media_type: str) -> FileFact:
    files.write(path, data)
    return FileFact(path.name, len(data), hashlib.sha256(data).hexdigest(), media_type)


def _entry(plan: _Plan) -> Entry:
    path = f"/data/{plan.dataset.slug}/quality.json" if plan.report else None
    return Entry(plan.dataset, plan.versions, plan.held, plan.checks, path)


def _write_around(tree: Path, site: Site, plans: list[_Plan], standing: Path | None) -> None:
    """`latest/`, the catalogue, the newest verdicts, the pages, and the list of all checksums.

    `standing`: the tree of the release in force, whose pages are linked where they would come out the same.
    """
    for plan in plans:
        place = tree / "data" / plan.dataset.slug
        if plan.report:
            files.write(place / "quality.json", json_bytes(plan.report))
    # The carried indexes are of the release before: those of declared datasets are written anew.
    for path, data in catalogue.documents(site).items():
        (tree / path).unlink(missing_ok=True)
        files.write(tree / path, data)
    portal.write(site, tree, standing)
    for index in sorted(tree.glob("data/*/versions.json")):
        latest = json.loads(index.read_text(encoding="utf-8"))["latest"]
        if latest:
            files.link_tree(index.parent / "v" / latest, index.parent / "latest")
    files.write(tree / "SHA256SUMS", files.checksums(tree))
