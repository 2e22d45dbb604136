"""What may go out: a dataset of a build, with its verdicts, its suites and its approval, or the reason why it is held."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from khochung import transform
from khochung.contract import Dataset
from khochung.errors import GateError
from khochung.gate import approval, verdicts
from khochung.gate.approval import Approval, Document
from khochung.gate.lowered import lowered
from khochung.gate.suites import (
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
    """A suite as it stands and the newest verdict on it for the build."""

    suite: Suite
    verdict: Verdict


@dataclass(frozen=True)
class Admission:
    """Whether a dataset may go out. `judged`: its own suite first; empty when not everything about it has a sound verdict."""

    held: Text | None
    judged: tuple[Judged, ...] = ()
    approval_id: int | None = None


@dataclass(frozen=True)
class Wanted:
    """Why somebody has to look at a dataset. `is_lowered`: it asks less of itself than before, which no demonstration
    decides."""

    reason: Text
    is_lowered: bool


@dataclass(frozen=True)
class _Released:
    """The last release that carried a dataset: what it was judged by, and the approval it stood on."""

    approval_id: int
    suites: dict[str, Suite]
    is_genuine: bool


@dataclass
class Gatekeeper:
    """Admits the datasets of one build. Reads the code, the topics and the ledger once."""

    settings: Settings
    ledger: Connection
    build_id: int
    folder: Path
    code: str = field(init=False)
    topics: list[Subject] = field(init=False)
    turned_down: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.code = transform.code_sha256()
        self.topics = warehouse_subjects(self.folder.parent / "warehouse")
        self.turned_down = [v.subject for v in self._newest("source") if not (v.passed and self._is_genuine(v))]

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
        broken = _broken(judged)
        if broken is not None:
            return Admission(broken, judged)
        held, approval_id = self._consent(dataset)
        return Admission(held, judged, approval_id)

    def wanted(self, dataset: Dataset) -> Wanted | None:
        """Why somebody has to look at the dataset as it is declared. None: nobody does, it was decided on, or there is
        nothing to look at, since its suite cannot be read; for that it is held in any case."""
        released = self._released(dataset.slug)
        try:
            reasons, lowered_reasons = self._reasons(dataset, released)
            decided = self._decision(dataset, released)
        except (GateError, ValueError):
            return None
        if decided is not None or not reasons + lowered_reasons:
            return None
        return Wanted(_joined(reasons + lowered_reasons), bool(lowered_reasons))

    def document(self, dataset: Dataset) -> Document:
        """What would be approved now."""
        return approval.document(dataset, {s.name: content(s.suite) for s in self._subjects(dataset)})

    def files(self, dataset: Dataset) -> list[Path]:
        """Where the document is written down."""
        declared = sorted(self.settings.dbt_project.glob(f"models/open_data/**/{dataset.declared_in}"))
        return [*declared, *(subject.suite for subject in self._subjects(dataset))]

    def _subjects(self, dataset: Dataset) -> list[Subject]:
        own = dataset_subjects(self.settings, {dataset.slug: dataset}, self.folder)
        return own + [topic for topic in self.topics if dataset.slug in read_suite(topic.suite, topic.name).datasets]

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

    def _consent(self, dataset: Dataset) -> tuple[Text | None, int | None]:
        released = self._released(dataset.slug)
        reasons = [text for texts in self._reasons(dataset, released) for text in texts]
        if not reasons:
            approved = self._approvals(dataset.slug)
            return None, approved[0].approval_id if approved else None
        decided = self._decision(dataset, released)
        if decided is None:
            return _joined([WAITS, *reasons]), None
        if decided.decision == "refused":
            return REFUSED, None
        return None, decided.approval_id

    def _approvals(self, slug: str) -> list[Approval]:
        return [a for a in approval.history(self.settings, self.ledger, slug) if a.decision == "approved"]

    def _decision(self, dataset: Dataset, released: _Released | None) -> Approval | None:
        """The newest decision on the document as it stands, taken after what it would replace was released."""
        sha256, before = self.document(dataset).sha256, released.approval_id if released else 0
        decisions = approval.history(self.settings, self.ledger, dataset.slug)
        return next((d for d in decisions if d.document_sha256 == sha256 and d.approval_id > before), None)

    def _reasons(self, dataset: Dataset, released: _Released | None) -> tuple[list[Text], list[Text]]:
        """Why the dataset is another one than was approved, and in what it asks less of itself than before."""
        approved, now = self._approvals(dataset.slug), self.document(dataset)
        known = approved[0].document if approved else None
        if known is None:
            other = [FIRST]
        else:
            changes = ((SCHEMA, known["schema"] != now.schema), (POLICY, known["disclosure"] != now.disclosure))
            other = [text for text, changed in changes if changed]
        before = released.suites if released else _suites(known["suites"]) if known else {}
        present = _suites(now.suites)
        less = [rule for name, suite in before.items() for rule in lowered(suite, present.get(name))]
        weaker = [Text(vi=f"{LESS.vi}: {'; '.join(less)}", en=f"{LESS.en}: {'; '.join(less)}")] if less else []
        return other, weaker + ([FORGOTTEN] if released and not released.is_genuine else [])

    def _released(self, slug: str) -> _Released | None:
        row = self.ledger.execute(
            """
            select release.build_id, coalesce(item.approval_id, 0) from ops.release_item as item
            join ops.release using (release_id)
            where item.slug = %s and item.state <> 'held' order by release.released_at desc limit 1
            """,
            [slug],
        ).fetchone()
        if row is None:
            return None
        own = [v for v in self._newest("dataset", row[0]) if v.subject == slug]
        topics = [v for v in self._newest("warehouse", row[0]) if slug in (v.suite or {}).get("datasets", ())]
        found = own + topics
        genuine = bool(own) and all(self._is_genuine(verdict) for verdict in found)
        return _Released(row[1], _suites({v.subject: v.suite for v in found}) if genuine else {}, genuine)

    def _newest(self, scope: Scope, build_id: int | None = None) -> list[Verdict]:
        """The newest verdict on each subject of a scope, in this build or another."""
        rows = self.ledger.execute(
            f"select distinct on (subject) {verdicts.FIELDS} from ops.verdict where scope = %s and build_id = %s "
            "order by subject, judged_at desc, verdict_id desc",
            [scope, self.build_id if build_id is None else build_id],
        )
        return [Verdict(*row) for row in rows.fetchall()]

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
    metas = [
        rule.meta
        for one in judged
        for rule, result in zip(one.suite.expectations, one.verdict.results, strict=True)
        if not result["success"] and result["severity"] == "critical"
    ]
    if not metas:
        return None
    return Text(
        vi="Không đạt kiểm tra: " + "; ".join(meta.vi for meta in metas),
        en="Checks failed: " + "; ".join(meta.en for meta in metas),
    )


def _joined(texts: list[Text]) -> Text:
    return Text(vi="; ".join(text.vi for text in texts), en="; ".join(text.en for text in texts))


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
WAITS = Text(vi="Chờ phê duyệt", en="Waits for approval")
FIRST = Text(vi="công bố lần đầu", en="first release")
SCHEMA = Text(vi="cấu trúc dữ liệu đã thay đổi", en="schema changed")
POLICY = Text(vi="chính sách bảo mật thống kê đã thay đổi", en="disclosure policy changed")
LESS = Text(vi="bộ quy tắc đòi hỏi ít hơn", en="suite lowered")
FORGOTTEN = Text(
    vi="không xác minh được kết quả kiểm tra của phiên bản trước",
    en="the verdict of the last release cannot be verified",
)
REFUSED = Text(vi="Người phê duyệt đã từ chối.", en="The approver refused.")
