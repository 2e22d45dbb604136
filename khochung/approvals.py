"""Whom a dataset waits for: what somebody has to consent to, and their answer (`khochung.gate.approval`)."""

from dataclasses import asdict, dataclass
from pathlib import Path

from khochung import contract, warehouse
from khochung.contract import Dataset
from khochung.errors import GateError
from khochung.gate import approval
from khochung.gate.admission import Gatekeeper, Wanted
from khochung.settings import REPOSITORY, Settings, optional
from khochung.strict import Text


@dataclass(frozen=True)
class Request:
    """A question to somebody: may this dataset go out as it is declared now? `sha256`: of the document asked about."""

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
    """Every dataset that somebody has to look at before it can be released; one that was refused as it stands is left out."""
    with warehouse.connect(settings, "operator", autocommit=True) as ledger:
        keeper = _keeper(settings, ledger)
        return [
            _request(keeper, dataset, wanted)
            for dataset in contract.datasets().values()
            if (wanted := keeper.wanted(dataset)) is not None
        ]


def to_ask(settings: Settings) -> list[Request]:
    """What people are asked: everything that waits, but for what a demonstration decides by itself."""
    return [request for request in waiting(settings) if request.is_lowered or not demonstrated()]


def answer(
    settings: Settings, slug: str, decision: approval.Decision, by: str, way: approval.Way, sha256: str | None = None
) -> approval.Approval:
    """Record what `by` decided about the dataset as it stands; `sha256`: what they were shown.

    Raises GateError when it has changed since, when nobody is asked, or when `by` made the change.
    """
    known = contract.datasets()
    if slug not in known:
        raise GateError(f"no dataset {slug}: known are {', '.join(known)}")
    with warehouse.connect(settings, "operator", autocommit=True) as ledger:
        keeper = _keeper(settings, ledger)
        about = keeper.document(known[slug])
        if sha256 not in (None, about.sha256):
            raise GateError(f"{slug} has changed since it was shown to {by}: look at it again")
        if keeper.wanted(known[slug]) is None and decision == "approved" and not _refused(settings, ledger, about):
            raise GateError(f"{slug} waits for nobody's approval")
        changed_by = approval.changed_by(keeper.files(known[slug]))
        return approval.decide(settings, ledger, about, decision, by, changed_by, way)


def demonstrated() -> str:
    """The declared approver of a demonstration; "" where people decide everything."""
    return optional(approval.DEMONSTRATION)


def demonstrate(settings: Settings) -> list[str]:
    """Approve in the name that `KHOCHUNG_DEMONSTRATION_APPROVER` declares; without it nothing. Returns slugs.

    A lowered suite is left to people in a demonstration too.
    """
    by = demonstrated()
    requests = [request for request in waiting(settings) if not request.is_lowered] if by else []
    for request in requests:
        answer(settings, request.slug, "approved", by, "demonstration", request.sha256)
    return [request.slug for request in requests]


def _keeper(settings: Settings, ledger: warehouse.Connection) -> Gatekeeper:
    return Gatekeeper(settings, ledger, 0, settings.expectations / "open_data")


def _refused(settings: Settings, ledger: warehouse.Connection, about: approval.Document) -> bool:
    found = approval.history(settings, ledger, about.slug)
    return next((one.decision == "refused" for one in found if one.document_sha256 == about.sha256), False)


def _request(keeper: Gatekeeper, dataset: Dataset, wanted: Wanted) -> Request:
    files = keeper.files(dataset)
    return Request(
        dataset.slug,
        dataset.title,
        wanted.reason,
        wanted.is_lowered,
        keeper.document(dataset).sha256,
        tuple(sorted(approval.changed_by(files))),
        tuple(_shown(path) for path in files),
    )


def _shown(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix() if path.is_relative_to(REPOSITORY) else path.name
