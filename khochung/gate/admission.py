"""What may go out: a dataset of a build, with its verdicts, its suites and its approval, or the reason why it is held."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from khochung import transform
from khochung.contract import Dataset
from khochung.errors import GateError
from khochung.gate import approval, consent, last_version, past, verdicts
from khochung.gate.approval import Document
from khochung.gate.consent import Case, joined
from khochung.gate.suites import (
    FOLDERS,
    LAST_ROWS,
    Scope,
    Subject,
    Suite,
    content,
    dataset_subjects,
    read_suite,
    sha256_of,
    warehouse_subjects,
)
from khochung.gate.verdicts import Verdict
from khochung.settings import Settings
from khochung.strict import Text
from khochung.warehouse import Connection


@dataclass(frozen=True)
class Judged:
    """A suite as it stands and the newest verdict on it for the build. `accepted`: the approval of its critical failures,
    which are a jump against the last version."""

    suite: Suite
    verdict: Verdict
    accepted: int | None = None

    @property
    def passed(self) -> bool:
        return self.verdict.passed or self.accepted is not None


@dataclass(frozen=True)
class Admission:
    """Whether a dataset may go out. `judged`: its own suite first; empty when not everything about it has a sound verdict."""

    held: Text | None
    judged: tuple[Judged, ...] = ()
    approval_id: int | None = None


@dataclass(frozen=True)
class _Released:
    """The last release that carried a dataset: what it was judged by, and the approval it stood on."""

    approval_id: int
    suites: dict[str, Suite]
    is_genuine: bool


@dataclass
class Gatekeeper:
    """Admits the datasets of one build. Reads the code, the topics and the verdicts on sources once."""

    settings: Settings
    ledger: Connection
    build_id: int
    folder: Path
    code: str = field(init=False)
    topics: dict[Subject, tuple[str, ...]] = field(init=False)
    turned_down: list[str] = field(init=False)
    sources: list[Case] = field(init=False)
    source_approvals: tuple[int, ...] = field(init=False, default=())
    _verdicts: dict[tuple[Scope, int], dict[str, Verdict]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.code = transform.code_sha256()
        topics = warehouse_subjects(self.folder.parent / FOLDERS["warehouse"])
        self.topics = {topic: read_suite(topic.suite, topic.name).datasets for topic in topics}
        self.turned_down = self._turned_down()
        self.sources = list(self._source_cases())

    def admit(self, publisher: Connection, dataset: Dataset) -> Admission:
        """`publisher`: the very snapshot that would be published."""
        if self.turned_down:
            names = ", ".join(self.turned_down)
            return Admission(Text(vi=f"{TURNED_DOWN.vi}: {names}.", en=f"{TURNED_DOWN.en}: {names}."))
        try:
            judged = tuple(self._judged(subject) for subject in self._subjects(dataset))
            self._same_rows(publisher, dataset, judged[0].verdict)
        except _Held as reason:
            return Admission(reason.text)
        case = self.case(dataset)
        held = _broken(judged) or _open(self.sources) or case.held
        if held is not None:
            return Admission(held, judged)
        newest = case.decision or consent.approved(self._history(dataset.slug))
        approval_id = newest.approval_id if newest else None
        if case.about.jump:
            judged = (replace(judged[0], accepted=approval_id), *judged[1:])
        return Admission(None, judged, approval_id)

    def cases(self, datasets: Iterable[Dataset]) -> list[Case]:
        """Everything that somebody may have to decide about. A dataset whose suite cannot be read is left out: it is held in
        any case, and there is nothing to look at."""
        found = list(self.sources)
        for dataset in datasets:
            try:
                found.append(self.case(dataset))
            except (GateError, ValueError):
                continue
        return found

    def case(self, dataset: Dataset) -> Case:
        """A dataset as it is declared and judged now, and why somebody has to look at it."""
        subjects = self._subjects(dataset)
        verdict = verdicts.newest(self.ledger, "dataset", dataset.slug, self.build_id)
        verdict = verdict if verdict and self._is_genuine(verdict) else None
        now = {subject.name: content(subject.suite) for subject in subjects}
        released, history = self._released(dataset.slug), self._history(dataset.slug)
        forgotten = released is not None and not released.is_genuine
        jump = consent.jump(verdict, self._uncompared(dataset.slug, verdict), forgotten)
        about = approval.document(dataset, now, jump)
        before = consent.approved(history)
        known = before.document if before else None
        suites = released.suites if released else _suites(known["suites"]) if known else {}
        serious = consent.weaker(suites, _suites(now)) + consent.jumped(about.jump)
        reasons = (*consent.other_than_approved(about, known), *serious)
        declared = sorted(self.settings.dbt_project.glob(f"models/open_data/**/{dataset.declared_in}"))
        files = (*declared, *(subject.suite for subject in subjects))
        since = released.approval_id if released and not forgotten else 0
        decision = consent.decision_on(about, history, since)
        return Case(dataset.title, about, files, reasons, bool(serious), decision)

    def _subjects(self, dataset: Dataset) -> list[Subject]:
        own = dataset_subjects(self.settings, {dataset.slug: dataset}, self.folder)
        return own + [topic for topic, datasets in self.topics.items() if dataset.slug in datasets]

    def _judged(self, subject: Subject) -> Judged:
        verdict = verdicts.newest(self.ledger, subject.scope, subject.name, self.build_id)
        if verdict is None:
            raise _Held(NO_VERDICT)
        try:
            suite = read_suite(subject.suite, subject.name)
            same = sha256_of(content(subject.suite)) == verdict.suite_sha256 == sha256_of(verdict.suite)
        except (GateError, ValueError):
            same = False
        if not same:
            raise _Held(OTHER_SUITE)
        if not verdicts.is_genuine(self.settings, verdict, suite):
            raise _Held(ALTERED)
        if not self.code == verdict.code_sha256 == self._build_code():
            raise _Held(OTHER_CODE)
        return Judged(suite, verdict)

    def _build_code(self) -> str | None:
        row = self.ledger.execute("select code_sha256 from ops.build where build_id = %s", [self.build_id]).fetchone()
        return row[0] if row else None

    def _same_rows(self, publisher: Connection, dataset: Dataset, verdict: Verdict) -> None:
        rows = verdicts.fingerprint(publisher, "open_data", dataset.model)
        if rows != verdict.fingerprint:
            raise _Held(OTHER_ROWS)

    def _uncompared(self, slug: str, verdict: Verdict | None) -> str | None:
        """The public version that the rows were not held against: it is not in the warehouse as it was kept, or was not when
        they were judged."""
        index = self.settings.public / "data" / slug / "versions.json"
        latest: str | None = json.loads(index.read_text(encoding="utf-8"))["latest"] if index.is_file() else None
        if latest is None:
            return None
        asked = [result for result in verdict.results if result["expectation"] == LAST_ROWS] if verdict else []
        compared = all(result["observed"] or result["problem"] for result in asked)
        return None if compared and last_version.is_genuine(self.settings, self.ledger, slug, latest) else latest

    def _history(self, slug: str) -> list[approval.Approval]:
        return approval.history(self.settings, self.ledger, slug)

    def _released(self, slug: str) -> _Released | None:
        last = past.last_item(self.settings, self.ledger, slug)
        if last is None:
            return None
        build_id, approval_id, genuine = last
        own = verdicts.newest(self.ledger, "dataset", slug, build_id)
        topics = [
            v for v in self._newest("warehouse", build_id).values() if slug in (v.suite or {}).get("datasets", ())
        ]
        found = [own, *topics] if own else []
        genuine = genuine and bool(found) and all(self._is_genuine(verdict) for verdict in found)
        return _Released(approval_id, _suites({v.subject: v.suite for v in found}) if genuine else {}, genuine)

    def _turned_down(self) -> list[str]:
        """The sources of this build without a sound and passed verdict: every one that has a suite must have one."""
        judged = self._newest("source", self.build_id)
        sound = {name for name, verdict in judged.items() if verdict.passed and self._is_genuine(verdict)}
        return sorted((judged.keys() | self._source_suites().keys()) - sound)

    def _source_suites(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted((self.folder.parent / FOLDERS["source"]).glob("*.json"))}

    def _source_cases(self) -> Iterator[Case]:
        """Suites of sources that are gone, new, or ask less than those that the last release was judged by."""
        last = past.last_release(self.settings, self.ledger)
        if last is None:
            return
        build_id, since, genuine = last
        before, paths = self._newest("source", build_id), self._source_suites()
        for name in sorted(before.keys() | paths.keys()):
            case = self._source_case(name, before.get(name), paths.get(name), since if genuine else None)
            newest = consent.approved(self._history(name))
            self.source_approvals += (newest.approval_id,) if newest else ()
            if case is not None and case.reasons:
                yield case

    def _source_case(self, name: str, before: Verdict | None, path: Path | None, since: int | None) -> Case | None:
        """since: the decision on which the last release stood; None where nobody knows."""
        try:
            now = {name: content(path)} if path else {}
            present = _suites(now)
        except (GateError, ValueError):
            return None  # it cannot be judged, and no build with it ends well
        history = self._history(name)
        known = consent.approved(history)
        if since is None or (before is not None and not self._is_genuine(before)):
            reasons = [consent.FORGOTTEN]
        elif before is not None:
            reasons = consent.weaker(_suites({name: before.suite}), present)
        else:
            reasons = consent.weaker(_suites(known.document["suites"]), present) if known else [consent.NEW_SOURCE]
        forgotten = {"build": self.build_id, "forgotten": True} if consent.FORGOTTEN in reasons else None
        about = Document(name, [], {}, now, forgotten)
        title = Text(vi=f"Nguồn {name}", en=f"Source {name}")
        decision = consent.decision_on(about, history, since or 0)
        file = self.folder.parent / FOLDERS["source"] / f"{name}.json"
        return Case(title, about, (file,), tuple(reasons), consent.NEW_SOURCE not in reasons, decision)

    def _newest(self, scope: Scope, build_id: int) -> dict[str, Verdict]:
        """The newest verdict on each subject of a scope in a build."""
        if (scope, build_id) not in self._verdicts:
            rows = self.ledger.execute(
                f"select distinct on (subject) {verdicts.FIELDS} from ops.verdict where scope = %s and build_id = %s "
                "order by subject, judged_at desc, verdict_id desc",
                [scope, build_id],
            )
            found = [Verdict(*row) for row in rows.fetchall()]
            self._verdicts[scope, build_id] = {verdict.subject: verdict for verdict in found}
        return self._verdicts[scope, build_id]

    def _is_genuine(self, verdict: Verdict) -> bool:
        """As the gate wrote it, about the suite that it carries."""
        try:
            suite = Suite.model_validate(verdict.suite)
        except ValidationError:
            return False
        return verdicts.is_genuine(self.settings, verdict, suite)


class _Held(Exception):
    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def _suites(contents: dict[str, Any]) -> dict[str, Suite]:
    return {name: Suite.model_validate(body) for name, body in contents.items()}


def _broken(judged: tuple[Judged, ...]) -> Text | None:
    """The critical failures but for a jump of the dataset, about which somebody may decide."""
    own, *topics = judged
    metas = [rule.meta for rule, result in consent.critical(own.verdict) if not consent.is_jump(rule, result)]
    metas += [rule.meta for one in topics for rule, _ in consent.critical(one.verdict)]
    if not metas:
        return None
    return Text(
        vi="Không đạt kiểm tra: " + "; ".join(meta.vi for meta in metas),
        en="Checks failed: " + "; ".join(meta.en for meta in metas),
    )


def _open(sources: list[Case]) -> Text | None:
    """Why nothing goes out while a source asks less than before and nobody has consented to it."""
    waiting = [case for case in sources if case.is_open]
    if not waiting:
        return None
    told = [joined((case.title, case.held)) for case in waiting if case.held]
    return joined(told)


NO_VERDICT = Text(
    vi="Chưa có kết quả kiểm tra cho lần dựng dữ liệu này.",
    en="There is no verdict for this build of the data.",
)
TURNED_DOWN = Text(vi="Dữ liệu nguồn không được chấp nhận", en="A source was not accepted")
OTHER_SUITE = Text(
    vi="Bộ quy tắc kiểm tra đã thay đổi sau lần kiểm tra này; cần kiểm tra lại.",
    en="The suite has changed since this verdict; the data must be judged again.",
)
OTHER_CODE = Text(
    vi="Chương trình đã thay đổi sau lần dựng dữ liệu này; cần dựng và kiểm tra lại.",
    en="The code has changed since this build; the data must be built and judged again.",
)
OTHER_ROWS = Text(
    vi="Dữ liệu đã thay đổi sau lần kiểm tra này; cần kiểm tra lại.",
    en="The data have changed since this verdict; they must be judged again.",
)
ALTERED = Text(
    vi="Kết quả kiểm tra không mang dấu niêm phong của hệ thống; cần kiểm tra lại.",
    en="The verdict does not bear the gate's seal; the data must be judged again.",
)
