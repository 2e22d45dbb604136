"""Whether somebody has to look at something before it goes out, and what was decided: datasets, and suites of sources."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khochung.gate.approval import Approval, Document
from khochung.gate.lowered import lowered
from khochung.gate.suites import COMPARISONS, Expectation, Suite
from khochung.gate.verdicts import Verdict
from khochung.strict import Text


@dataclass(frozen=True)
class Case:
    """Something that somebody may have to decide about, and the newest decision that counts.

    `is_for_people`: it asks less of itself than before, or is something that no demonstration should decide.
    """

    title: Text
    about: Document
    files: tuple[Path, ...]
    reasons: tuple[Text, ...]
    is_for_people: bool
    decision: Approval | None

    @property
    def slug(self) -> str:
        return self.about.slug

    @property
    def waits(self) -> bool:
        return bool(self.reasons) and self.decision is None

    @property
    def is_open(self) -> bool:
        """True while it may not go out: nobody has decided, or somebody against it."""
        return bool(self.reasons) and (self.decision is None or self.decision.decision == "refused")

    @property
    def reason(self) -> Text:
        """Why somebody has to look."""
        return joined(self.reasons)

    @property
    def held(self) -> Text | None:
        """What the public reads while it may not go out."""
        if not self.is_open:
            return None
        return REFUSED if self.decision else joined((WAITS, *self.reasons))


def decision_on(about: Document, history: Sequence[Approval], before: int) -> Approval | None:
    """The newest decision on the document as it stands, taken after decision `before`, on which the last release stood."""
    return next((d for d in history if d.document_sha256 == about.sha256 and d.approval_id > before), None)


def approved(history: Iterable[Approval]) -> Approval | None:
    """The newest decision for something."""
    return next((one for one in history if one.decision == "approved"), None)


def other_than_approved(now: Document, known: dict[str, Any] | None) -> list[Text]:
    """In what a dataset is another one than was approved."""
    if known is None:
        return [FIRST]
    changes = ((SCHEMA, known["schema"] != now.schema), (POLICY, known["disclosure"] != now.disclosure))
    return [text for text, changed in changes if changed]


def weaker(before: dict[str, Suite], now: dict[str, Suite]) -> list[Text]:
    """In what suites ask less than they did."""
    less = [rule for name, suite in before.items() for rule in lowered(suite, now.get(name))]
    return [_said(LESS, less)] if less else []


def jump(verdict: Verdict | None, uncompared: str | None, is_forgotten: bool) -> dict[str, Any] | None:
    """How the judged rows differ from the last version by more than the suite allows; None where they do not.

    uncompared: the last version, where they could not be held against it. is_forgotten: nobody knows what the last release
    stood on. Both are decided about for these very rows, so that no earlier decision counts.
    """
    found = [
        {"rule": rule.meta.model_dump(include={"vi", "en"}), "observed": result["observed"], "bounds": result["kwargs"]}
        for rule, result in critical(verdict)
        if is_jump(rule, result)
    ]
    if not found and uncompared is None and not is_forgotten:
        return None
    rows = verdict.fingerprint if verdict else None
    return {"rows": rows, "rules": found, "uncompared": uncompared, "forgotten": is_forgotten}


def is_jump(rule: Expectation, result: dict[str, Any]) -> bool:
    """True for a comparison with the last version that was made, and found too much."""
    return rule.type in COMPARISONS and not result["problem"]


def jumped(found: dict[str, Any] | None) -> list[Text]:
    """A jump in words, with what was observed."""
    if found is None:
        return []
    rules = [(one["rule"], one["observed"].get("value", "-")) for one in found["rules"]]
    told = Text(
        vi=f"{JUMP.vi}: " + "; ".join(f"{words['vi']} (nay: {value})" for words, value in rules),
        en=f"{JUMP.en}: " + "; ".join(f"{words['en']} (now: {value})" for words, value in rules),
    )
    others = [text for text, holds in ((UNCOMPARED, found["uncompared"]), (FORGOTTEN, found["forgotten"])) if holds]
    return ([told] if rules else []) + others


def critical(verdict: Verdict | None) -> list[tuple[Expectation, dict[str, Any]]]:
    """The rules of a genuine verdict that failed critically, with their results."""
    if verdict is None:
        return []
    rules = Suite.model_validate(verdict.suite).expectations
    return [
        (rule, result)
        for rule, result in zip(rules, verdict.results, strict=True)
        if not result["success"] and result["severity"] == "critical"
    ]


def joined(texts: Iterable[Text]) -> Text:
    """Several reasons as one."""
    found = list(texts)
    return Text(vi="; ".join(text.vi for text in found), en="; ".join(text.en for text in found))


def _said(head: Text, rest: list[str]) -> Text:
    return Text(vi=f"{head.vi}: {'; '.join(rest)}", en=f"{head.en}: {'; '.join(rest)}")


WAITS = Text(vi="Chờ phê duyệt", en="Waits for approval")
FIRST = Text(vi="công bố lần đầu", en="first release")
SCHEMA = Text(vi="cấu trúc dữ liệu đã thay đổi", en="schema changed")
POLICY = Text(vi="chính sách bảo mật thống kê đã thay đổi", en="disclosure policy changed")
LESS = Text(vi="bộ quy tắc đòi hỏi ít hơn", en="suite lowered")
JUMP = Text(vi="khác phiên bản trước nhiều hơn mức cho phép", en="differs from the last version more than allowed")
FORGOTTEN = Text(
    vi="không xác minh được kết quả kiểm tra của phiên bản trước",
    en="the verdict of the last release cannot be verified",
)
UNCOMPARED = Text(
    vi="không đối chiếu được với phiên bản trước",
    en="it could not be held against the last version",
)
NEW_SOURCE = Text(vi="nguồn mới", en="new source")
REFUSED = Text(vi="Người phê duyệt đã từ chối.", en="The approver refused.")
