"""A corrected edition of an old version, while a later one stays in force: `2025.9.1` beside `2025.10.0`.

The corrected numbers are those of the newest build, for the periods that the old version covers: what it would have said,
had the correction been known. So nothing goes out that was not judged: the gate admits the dataset as for any release,
the audit looks at the edition beside everything that was ever released, and `latest` stays where it is.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from khochung import contract, warehouse
from khochung.contract import Dataset
from khochung.disclosure import released
from khochung.disclosure.screen import Candidate, screen
from khochung.errors import GateError
from khochung.gate.admission import Gatekeeper
from khochung.release import describe, diff, ledger, signing, store, tree
from khochung.release.catalogue import VersionFact, in_force
from khochung.release.content import Content, content_sha256, kind, read
from khochung.release.diff import Table
from khochung.release.ledger import Patch, Release
from khochung.release.plan import WITHDRAWN_DATA, Job, Plan, checks_of, published_table
from khochung.release.publish import carry_out, notice_of, versions_used
from khochung.release.versions import Version, next_free
from khochung.release.withdraw import restored
from khochung.settings import TIMEZONE, Settings
from khochung.strict import Text


def patch(
    settings: Settings,
    slug: str,
    version: str,
    reason: Text,
    *,
    datasets: Mapping[str, Dataset] | None = None,
    suites: Path | None = None,
) -> Release:
    """Release a corrected edition of `version`, which a later one has replaced. `reason`: for the public.

    Raises GateError when there is nothing to correct, the dataset has no periods, or gate or audit hold it.
    """
    declared = contract.datasets() if datasets is None else datasets
    with store.locked(settings), warehouse.connect(settings, "operator", autocommit=True) as connection:
        store.heal(settings, connection)
        standing = store.standing(settings)
        if standing is None or slug not in declared:
            raise GateError(f"{slug} was never released: there is nothing to correct")
        build_id = ledger.newest_build(connection)
        released.catch_up(connection, standing.tree)
        gate = Gatekeeper(settings, connection, build_id, suites or settings.expectations / "open_data")
        used, now = versions_used(settings, connection), datetime.now(TIMEZONE)
        key = signing.secret(settings)
        job = Job(
            settings,
            build_id,
            standing.release.as_of,
            now,
            gate,
            standing,
            used,
            connection,
            key,
            standing.release.source_approvals,
        )
        carried = tree.indexes(standing.tree)
        old = _replaced(slug, carried.get(slug, ((), None))[0], version)
        plans = [
            restored(standing, item, declared[item.slug], carried)
            for item in standing.release.items
            if item.slug in declared
        ]
        place = next(i for i, plan in enumerate(plans) if plan.dataset.slug == slug)
        plans[place], made = _corrected(job, standing, plans[place], old, reason, declared)
        return carry_out(job, plans, carried, notice_of(standing), (made,))


def _replaced(slug: str, versions: tuple[VersionFact, ...], version: str) -> VersionFact:
    """The version, when it is the newest public one of its month and no longer in force."""
    wanted = Version.parse(version)
    month = [fact for fact in versions if fact.withdrawn is None and _month(fact) == (wanted.year, wanted.month)]
    if not month or month[0].version != version:
        last = f"; the last of that month is {month[0].version}" if month else ""
        raise GateError(f"{slug} {version} is not public, or was corrected already{last}")
    if month[0] == in_force(versions):
        raise GateError(
            f"{slug} {version} is in force: its correction is the next version, which the DAG open_data makes"
        )
    return month[0]


def _month(fact: VersionFact) -> tuple[int, int]:
    version = Version.parse(fact.version)
    return version.year, version.month


def _corrected(
    job: Job, standing: store.Standing, plan: Plan, old: VersionFact, reason: Text, declared: Mapping[str, Dataset]
) -> tuple[Plan, Patch]:
    """The plan of the dataset with its old version corrected, and what the ledger will say of it."""
    dataset, number = plan.dataset, Version.parse(old.version)
    previous = published_table(standing, dataset.slug, old.version)
    with warehouse.connect(job.settings, "publisher") as publisher:
        publisher.execute("set transaction isolation level repeatable read, read only")
        admission = job.gate.admit(publisher, dataset)
        if admission.held is not None:
            raise GateError(f"{dataset.slug} is held: {admission.held.en}")
        content = _of_periods(read(publisher, dataset), previous)
        _refuse(job, plan, content, previous)
        candidate = Candidate(dataset, content.names, content.rows)
        screening = screen(job.ledger, publisher, [candidate], declared, job.build_id)[dataset.slug]
    if screening.reason is not None:
        raise GateError(f"{dataset.slug} is held: {screening.reason.en}")
    fresh = str(next_free(job.used.get(dataset.slug, set()), date(number.year, number.month, 1)))
    said = Text(
        vi=f"Bản sửa của {old.version}: {reason.vi}",
        en=f"A correction of {old.version}: {reason.en}",
    )
    made = replace(
        plan, content=replace(content, version=fresh), judged=admission.judged, reason=said, screening=screening,
        report=describe.quality(dataset, None, admission.judged, job.as_of), previous=(old.version, previous),
        checks=checks_of(admission),
    )  # fmt: skip
    return made, Patch(
        dataset.slug, fresh, old.version, job.build_id, admission.judged[0].verdict.verdict_id, admission.approval_id,
        content_sha256(content), content.table.num_rows, said.vi, said.en,
    )  # fmt: skip


def _of_periods(content: Content, previous: Table) -> Content:
    """The rows of the periods, by the dataset's first key, that the old version covers."""
    first = content.dataset.columns[content.names.index(content.dataset.key[0])]
    if kind(first).table_schema != "date":
        raise GateError(
            f"{content.dataset.slug} is not a series: what it said of an earlier month is not in the warehouse; a correction "
            "goes out as the next version"
        )
    periods = [row[previous.names.index(first.name)] or "" for row in previous.rows]
    place = content.names.index(first.name)
    since, until = min(periods), max(periods)
    return Content.of(content.dataset, [row for row in content.rows if since <= (row[place] or "") <= until])


def _refuse(job: Job, plan: Plan, content: Content, previous: Table) -> None:
    """Raise GateError for an edition that would be empty, the same, of another structure, withdrawn, or too early."""
    slug, digest = plan.dataset.slug, content_sha256(content)
    change = diff.schema_change(previous, Table.of(content))
    if diff.broken_columns(change) or change["columns_added"]:
        raise GateError(f"{slug}: its structure has changed since; a correction goes out as the next version")
    if not content.rows:
        raise GateError(f"{slug}: the newest build has no row of these periods")
    if any(fact.withdrawn and fact.content_sha256 == digest for fact in plan.versions):
        raise GateError(f"{slug}: {WITHDRAWN_DATA.en}")
    if content.rows == previous.rows:
        raise GateError(f"{slug}: the newest build says the same of these periods; there is nothing to correct")
    if plan.dataset.embargo_until and job.now < plan.dataset.embargo_until:
        raise GateError(f"{slug} is under embargo until {plan.dataset.embargo_until}")
