"""What will happen to each dataset of a release: a new version, nothing, or held with the reason."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from khochung import warehouse
from khochung.contract import Dataset
from khochung.disclosure.screen import Candidate, Screening, screen
from khochung.errors import GateError
from khochung.gate import last_version
from khochung.gate.admission import Admission, Gatekeeper, Judged
from khochung.release import describe, diff, ledger, store
from khochung.release.catalogue import Announcement, Checks, VersionFact, in_force
from khochung.release.content import Content, content_sha256, read
from khochung.release.diff import Table
from khochung.release.ledger import Item
from khochung.release.signing import SecretKey
from khochung.release.versions import Version, next_free
from khochung.settings import TIMEZONE, Settings
from khochung.strict import Text


@dataclass(frozen=True)
class Plan:
    """What will happen to one dataset. `content`, `judged` and `reason` are set when a version is to be written: the next
    one, which `item` names too, or a corrected edition of an old one (`khochung.release.patch`).

    `previous`: the version that it follows, and its table.
    """

    dataset: Dataset
    item: Item
    versions: tuple[VersionFact, ...]
    held: Text | None
    checks: Checks
    report: dict[str, Any] | None
    upcoming: Announcement | None = None
    content: Content | None = None
    judged: tuple[Judged, ...] = ()
    reason: Text | None = None
    previous: tuple[str, Table] | None = None
    screening: Screening | None = None


@dataclass(frozen=True)
class Job:
    """One call of `publish`: what every step needs to know. `now` decides whether an embargo is over. `source_approvals`:
    the decisions on suites of sources that the release stands on."""

    settings: Settings
    build_id: int
    as_of: date
    now: datetime
    gate: Gatekeeper
    standing: store.Standing | None
    used: Mapping[str, set[Version]]
    ledger: ledger.Connection
    key: SecretKey
    source_approvals: tuple[int, ...]


def plan_all(job: Job, declared: Mapping[str, Dataset]) -> list[Plan]:
    """One plan for each declared dataset."""
    # The publisher's role sees open_data and nothing else; one snapshot, so that linked datasets agree.
    with warehouse.connect(job.settings, "publisher") as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        return _screened(job, connection, [_plan(job, connection, dataset) for dataset in declared.values()], declared)


def _screened(job: Job, publisher: ledger.Connection, plans: list[Plan], declared: Mapping[str, Dataset]) -> list[Plan]:
    """The plans with the verdict of the disclosure audit; what it turns down is held."""
    fresh = [Candidate(p.dataset, p.content.names, p.content.rows) for p in plans if p.content is not None]
    found = screen(job.ledger, publisher, fresh, declared, job.build_id)
    return [_with_screening(plan, found.get(plan.dataset.slug)) for plan in plans]


def _with_screening(plan: Plan, screening: Screening | None) -> Plan:
    if screening is None or screening.reason is None:
        return replace(plan, screening=screening)
    admission = Admission(screening.reason, plan.judged, plan.item.approval_id)
    before = replace(plan, item=_item(plan.dataset.slug, plan.versions, admission), content=None)
    return _hold(before, screening.reason)


def _plan(job: Job, connection: ledger.Connection, dataset: Dataset) -> Plan:
    versions, announced = standing_index(job.standing, dataset.slug)
    _keep_again(job, connection, dataset, in_force(versions))
    admission = job.gate.admit(connection, dataset)
    reason, checks = admission.held, checks_of(admission)
    report = describe.quality(dataset, None, admission.judged, job.as_of) if admission.judged else None
    item = _item(dataset.slug, versions, admission)
    plan = Plan(
        dataset, item, versions, None, checks, report, _announcement(job, dataset, announced), judged=admission.judged
    )
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
        return _hold(plan, reason)
    plan = _with_content(job, plan, content, announced)
    if plan.content:
        last_version.keep(job.settings, job.ledger, connection, dataset, plan.content.version)
    return plan


def _keep_again(job: Job, connection: ledger.Connection, dataset: Dataset, last: VersionFact | None) -> None:
    """Where the rows of the last version are not in the warehouse as they were kept, and today's are the same: keep these."""
    if last is None or last_version.is_genuine(job.settings, job.ledger, dataset.slug, last.version):
        return
    try:
        with connection.transaction():
            same = content_sha256(read(connection, dataset)) == last.content_sha256
    except GateError:
        return  # it cannot be published, and is held for that
    if same:
        last_version.keep(job.settings, job.ledger, connection, dataset, last.version)


def _hold(plan: Plan, reason: Text, until: datetime | None = None) -> Plan:
    end = until.isoformat() if until else None
    item = replace(plan.item, state="held", reason=f"{reason.vi} / {reason.en}", until=end)
    return replace(plan, item=item, held=reason)


def _with_content(job: Job, plan: Plan, content: Content, announced: Announcement | None) -> Plan:
    """The plan of a dataset that passed: unchanged, new, or held for what it would do to its readers."""
    digest = content_sha256(content)
    dataset, last = plan.dataset, in_force(plan.versions)
    if last and last.content_sha256 == digest:
        return replace(plan, item=replace(plan.item, state="unchanged"))
    if any(version.withdrawn and version.content_sha256 == digest for version in plan.versions):
        return _hold(plan, WITHDRAWN_DATA)
    if dataset.embargo_until and job.now < dataset.embargo_until:
        return _hold(plan, _embargo(dataset.embargo_until), dataset.embargo_until)
    previous = published_table(job.standing, dataset.slug, last.version) if last and job.standing else None
    broken = diff.broken_columns(diff.schema_change(previous, Table.of(content))) if previous else set()
    unannounced = broken - set(announced.columns if announced and announced.since < job.as_of else ())
    if unannounced:
        return _hold(plan, _unannounced(sorted(unannounced)))
    fresh = str(next_free(job.used.get(dataset.slug, set()), job.as_of))
    item = replace(plan.item, state="new", version=fresh, rows=content.table.num_rows, content_sha256=digest)
    reason = _reason(job.as_of, last, bool(broken))
    before = (last.version, previous) if last and previous else None
    return replace(plan, item=item, content=replace(content, version=fresh), reason=reason, previous=before)


WITHDRAWN_DATA = Text(
    vi="Dữ liệu giống phiên bản đã thu hồi; cần sửa ở nguồn hoặc mô hình trước khi công bố lại.",
    en="The data are those of a withdrawn version; the source or the model must be mended before they go out again.",
)


def _embargo(until: datetime) -> Text:
    moment = until.astimezone(TIMEZONE)
    return Text(
        vi=f"Số liệu mới được công bố từ {moment:%H:%M ngày %d/%m/%Y}.",
        en=f"The new data are under embargo until {moment:%Y-%m-%d %H:%M} (Việt Nam).",
    )


def _unannounced(columns: list[str]) -> Text:
    names = ", ".join(columns)
    return Text(
        vi=f"Thay đổi cấu trúc chưa được báo trước một phiên bản: {names}. Khai báo `upcoming` của bộ dữ liệu.",
        en=f"A change of structure that was not announced one version ahead: {names}. Declare the dataset's `upcoming`.",
    )


def _reason(as_of: date, last: VersionFact | None, broken: bool) -> Text:
    """Why there is a new version, as far as the data tell."""
    if last is None:
        return Text(vi="Phiên bản đầu tiên.", en="First version.")
    if broken:
        return Text(vi="Cấu trúc thay đổi như đã báo trước.", en="The structure changes, as announced.")
    if (last.released.year, last.released.month) == (as_of.year, as_of.month):
        return Text(
            vi=f"Nguồn đã cập nhật hoặc sửa số liệu trong tháng; số liệu đến ngày {as_of:%d/%m/%Y}.",
            en=f"The sources added or corrected records within the month; data as of {as_of.isoformat()}.",
        )
    return Text(vi=f"Số liệu đến ngày {as_of:%d/%m/%Y}.", en=f"Data as of {as_of.isoformat()}.")


def _announcement(job: Job, dataset: Dataset, announced: Announcement | None) -> Announcement | None:
    """What is declared as upcoming, with the day on which the public was first told."""
    if dataset.upcoming is None:
        return None
    columns = dataset.upcoming.columns
    known = announced is not None and set(columns) <= set(announced.columns)
    return Announcement(columns, dataset.upcoming.note, announced.since if announced and known else job.as_of)


def _item(slug: str, versions: tuple[VersionFact, ...], admission: Admission) -> Item:
    verdict_id = admission.judged[0].verdict.verdict_id if admission.judged else None
    last, approval_id = in_force(versions), admission.approval_id
    if last is None:
        return Item(slug, None, "held", verdict_id=verdict_id, approval_id=approval_id)
    return Item(
        slug, last.version, "unchanged", None, last.rows, last.bytes, last.content_sha256, verdict_id, approval_id
    )


def standing_index(standing: store.Standing | None, slug: str) -> tuple[tuple[VersionFact, ...], Announcement | None]:
    """The versions of a dataset in the standing release, newest first, and what is announced for it."""
    index = standing.tree / "data" / slug / "versions.json" if standing else None
    if index is None or not index.is_file():
        return (), None
    content = json.loads(index.read_text(encoding="utf-8"))
    announced = content["upcoming"]
    return tuple(VersionFact.parse(record) for record in content["versions"]), (
        Announcement.parse(announced) if announced else None
    )


def published_table(standing: store.Standing, slug: str, version: str) -> Table:
    """The table of a version in the standing release, as its files say."""
    return Table.published(standing.tree / "data" / slug / "v" / version, slug)


def checks_of(admission: Admission) -> Checks:
    verdicts = [one.verdict for one in admission.judged]
    passed = bool(verdicts) and all(one.passed for one in admission.judged)
    return Checks(sum(verdict.evaluated for verdict in verdicts), sum(verdict.failed for verdict in verdicts), passed)
