"""Approvals: somebody other than who made it consents to a dataset's first release, to another schema or disclosure
policy, to a suite that asks less than the one before, a source's too, and to a jump against the last version.

What is approved is a document: the dataset's schema, its policy, and its suites as they stand; of a jump, these very rows.
A row of `ops.approval` says who decided, when, how, and about which document; it is sealed, and nothing changes it.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from psycopg.types.json import Jsonb

from khochung.contract import Dataset
from khochung.errors import GateError
from khochung.gate.suites import sha256_of
from khochung.seal import is_sealed, seal
from khochung.settings import PROJECT, Settings, optional
from khochung.warehouse import Connection

Decision = Literal["approved", "refused"]
Way = Literal["airflow", "command line", "demonstration"]
# Who decides where nobody sits: set by `make run` alone. An installation with real data leaves it empty.
DEMONSTRATION = "KHOCHUNG_DEMONSTRATION_APPROVER"
# The accounts of those who made what is deployed, separated by commas; a checkout knows them by itself.
CHANGED_BY = "KHOCHUNG_CHANGED_BY"


@dataclass(frozen=True)
class Document:
    """What is consented to. `suites`: the dataset's and those of the topics that block it, by subject; or a source's alone.

    `jump`: the rows that differ from the last version by more than the suite allows, and in what.
    """

    slug: str
    schema: list[dict[str, Any]]
    disclosure: dict[str, Any]
    suites: dict[str, Any]
    jump: dict[str, Any] | None = None

    @property
    def sha256(self) -> str:
        return sha256_of({name: value for name, value in vars(self).items() if value is not None})


@dataclass(frozen=True)
class Approval:
    """One row of `ops.approval`."""

    approval_id: int
    slug: str
    document_sha256: str
    document: dict[str, Any]
    decision: Decision
    decided_by: str
    changed_by: list[str]
    way: Way
    decided_at: datetime
    seal: str | None = None

    def record(self) -> dict[str, Any]:
        """What is sealed: every field but the number that the database gives."""
        return {name: value for name, value in vars(self).items() if name not in ("approval_id", "seal")}


FIELDS = ", ".join(Approval.__dataclass_fields__)


def document(dataset: Dataset, suites: Mapping[str, Any], jump: dict[str, Any] | None) -> Document:
    """The document of a dataset with its suites as they stand."""
    policy = dataset.disclosure.model_dump(mode="json")
    return Document(dataset.slug, dataset.schema_record(), policy, dict(suites), jump)


def history(settings: Settings, ledger: Connection, slug: str) -> list[Approval]:
    """The decisions on a dataset, newest first; rows that the gate has not written are left out."""
    rows = ledger.execute(f"select {FIELDS} from ops.approval where slug = %s order by approval_id desc", [slug])
    found = [Approval(*row) for row in rows.fetchall()]
    return [one for one in found if is_sealed(settings, one.record(), one.seal)]


def decide(
    settings: Settings, ledger: Connection, about: Document, decision: Decision, by: str, changed_by: set[str], way: Way
) -> Approval:
    """Record a decision. Raises GateError when the one who decides made the change, or nobody knows who made it."""
    if way != "demonstration":
        _is_somebody_else(about.slug, by, changed_by)
    made = Approval(
        0, about.slug, about.sha256, vars(about), decision, by, sorted(changed_by), way, datetime.now(UTC)
    )  # fmt: skip
    made = replace(made, seal=seal(settings, made.record()))
    fields = {name: value for name, value in vars(made).items() if name != "approval_id"}
    names, marks = ", ".join(fields), ", ".join(f"%({name})s" for name in fields)
    fields["document"] = Jsonb(made.document)
    row = ledger.execute(
        f"insert into ops.approval ({names}) values ({marks}) returning approval_id", fields
    ).fetchone()
    return replace(made, approval_id=row[0] if row else 0)


def _is_somebody_else(slug: str, by: str, changed_by: set[str]) -> None:
    if not by.strip():
        raise GateError(
            f"{slug}: nobody has decided; sign in to Airflow, or run khochung approve from an account of your own"
        )
    if not changed_by:
        raise GateError(
            f"{slug}: who made this is not known, so nobody can be told apart from them: deploy with {CHANGED_BY}, "
            "the accounts of those who made the change"
        )
    if by.casefold() in {name.casefold() for name in changed_by}:
        raise GateError(f"{slug}: {by} made the change; somebody else has to decide")


def changed_by(paths: Iterable[Path]) -> set[str]:
    """Who made what these files say: as deployed, else the last author of each in this checkout, and whoever has it open.

    A person is known by name, address and account, the part of the address before the @.
    """
    given = {name.strip() for name in optional(CHANGED_BY).split(",") if name.strip()}
    if given:
        return given
    found = {line for path in paths for line in _git("log", "-1", "--format=%an%n%ae", "--", str(path))}
    if found and _git("status", "--porcelain", "--", *map(str, paths)):
        found |= {*_git("config", "user.name"), *_git("config", "user.email"), os.environ.get("USER", "")}
    return {name for name in found | {name.partition("@")[0] for name in found} if name}


def _git(*arguments: str) -> list[str]:
    try:
        done = subprocess.run(
            ["git", "-C", str(PROJECT), *arguments], capture_output=True, text=True, check=False, timeout=20
        )
    except FileNotFoundError:
        return []
    return [line for line in done.stdout.splitlines() if line] if done.returncode == 0 else []
