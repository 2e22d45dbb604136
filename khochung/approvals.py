"""Whom a dataset waits for: what somebody has to consent to, and their answer (`khochung.gate.approval`)."""

from dataclasses import asdict, dataclass
from pathlib import Path

from khochung import contract, warehouse
from khochung.errors import GateError
from khochung.gate import approval
from khochung.gate.admission import Gatekeeper
from khochung.gate.consent import Case
from khochung.settings import REPOSITORY, Settings, optional
from khochung.strict import Text


@dataclass(frozen=True)
class Request:
    """A question to somebody: may this dataset go out, or this source be accepted, as it is declared and judged now?

    `is_lowered`: it asks less of itself than before, or differs more from the last version than it allows. `sha256`: of the
    document asked about.
    """

    slug: str
    title: Text
    reason: Text
    is_lowered: bool
    sha256: str
    changed_by: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def subject(self) -> str:
        """One line for the list of required actions."""
        return f"{self.title.vi} ({self.slug}): {self.reason.vi}"

    @property
    def body(self) -> str:
        """What to look at before deciding, in Markdown."""
        return (
            f"**{self.reason.vi} / {self.reason.en}**\n\n"
            f"Xem / look at: {', '.join(f'`{name}`' for name in self.files)}\n\n"
            f"Người thay đổi / changed by: {', '.join(self.changed_by) or '?'}. Người khác quyết định / somebody else decides.\n\n"
            f"SHA-256 `{self.sha256}`"
        )

    def for_airflow(self) -> dict[str, str]:
        """What a task passes on to the next."""
        return {"slug": self.slug, "sha256": self.sha256, "subject": self.subject, "body": self.body}

    def record(self) -> dict[str, object]:
        return asdict(self) | {"title": self.title.model_dump(), "reason": self.reason.model_dump()}


def waiting(settings: Settings) -> list[Request]:
    """Everything that somebody has to look at before it can be released; what was refused as it stands is left out."""
    with warehouse.connect(settings, "operator", autocommit=True) as ledger:
        return [_request(case) for case in _cases(settings, ledger) if case.waits]


def to_ask(settings: Settings) -> list[Request]:
    """What people are asked: everything that waits, but for what a demonstration decides by itself."""
    return [request for request in waiting(settings) if request.is_lowered or not demonstrated()]


def answer(
    settings: Settings, slug: str, decision: approval.Decision, by: str, way: approval.Way, sha256: str | None = None
) -> approval.Approval:
    """Record what `by` decided about the dataset, or the source, as it stands; `sha256`: what they were shown.

    Raises GateError when it has changed since, when nobody is asked, or when `by` made the change.
    """
    with warehouse.connect(settings, "operator", autocommit=True) as ledger:
        cases = {case.slug: case for case in _cases(settings, ledger)}
        if slug not in cases:
            raise GateError(f"no dataset or source {slug} to decide about: known are {', '.join(cases)}")
        case = cases[slug]
        if sha256 not in (None, case.about.sha256):
            raise GateError(f"{slug} has changed since it was shown to {by}: look at it again")
        if not case.is_open and decision == "approved":
            raise GateError(f"{slug} waits for nobody's approval")
        return approval.decide(settings, ledger, case.about, decision, by, approval.changed_by(case.files), way)


def demonstrated() -> str:
    """The declared approver of a demonstration; "" where people decide everything."""
    return optional(approval.DEMONSTRATION)


def demonstrate(settings: Settings) -> list[str]:
    """Approve in the name that `KHOCHUNG_DEMONSTRATION_APPROVER` declares; without it nothing. Returns slugs.

    A lowered suite and a jump are left to people in a demonstration too.
    """
    by = demonstrated()
    requests = [request for request in waiting(settings) if not request.is_lowered] if by else []
    for request in requests:
        answer(settings, request.slug, "approved", by, "demonstration", request.sha256)
    return [request.slug for request in requests]


def _cases(settings: Settings, ledger: warehouse.Connection) -> list[Case]:
    """Of the newest build: what it was judged to be belongs to the question."""
    build = ledger.execute("select coalesce(max(build_id), 0) from ops.build").fetchone()
    keeper = Gatekeeper(settings, ledger, build[0] if build else 0, settings.expectations / "open_data")
    return keeper.cases(contract.datasets().values())


def _request(case: Case) -> Request:
    return Request(
        case.slug,
        case.title,
        case.reason,
        case.is_for_people,
        case.about.sha256,
        tuple(sorted(approval.changed_by(case.files))),
        tuple(_shown(path) for path in case.files),
    )


def _shown(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix() if path.is_relative_to(REPOSITORY) else path.name
