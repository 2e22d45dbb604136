"""Verdicts: what the gate has found of one subject in one build, as sealed rows of `ops.verdict` that nothing changes."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from khochung.errors import GateError
from khochung.gate.suites import SEVERITIES, Scope, Subject, Suite, content, sha256_of
from khochung.seal import is_sealed, seal
from khochung.settings import Settings
from khochung.warehouse import Connection


@dataclass(frozen=True)
class Verdict:
    """One row of `ops.verdict`. `passed`: no expectation of severity `critical` failed.

    `suite` is the suite that was asked, whole; `fingerprint` that of the rows that were judged (datasets only).
    """

    verdict_id: int
    scope: str
    subject: str
    build_id: int
    suite_sha256: str
    passed: bool
    failed_severity: str | None
    evaluated: int
    failed: int
    results: list[dict[str, Any]]
    seconds: float
    code_sha256: str | None
    suite: dict[str, Any] | None
    fingerprint: str | None
    judged_at: datetime
    seal: str | None = None

    def record(self) -> dict[str, Any]:
        """What is sealed: every field but the number that the database gives."""
        return {name: value for name, value in vars(self).items() if name not in ("verdict_id", "seal")}


FIELDS = ", ".join(Verdict.__dataclass_fields__)


def pronounce(
    subject: Subject, build_id: int, code_sha256: str, results: list[dict[str, Any]], seconds: float, rows: str | None
) -> Verdict:
    """The verdict that follows from results. Raises GateError when there are none: an empty suite passes nothing."""
    if not results:
        raise GateError(f"{subject.name}: not one expectation was evaluated; an empty suite passes nothing")
    asked = content(subject.suite)
    worst = _worst(results)
    failed = sum(not result["success"] for result in results)
    return Verdict(
        0, subject.scope, subject.name, build_id, sha256_of(asked), worst != "critical", worst, len(results), failed,
        results, round(seconds, 3), code_sha256, asked, rows, datetime.now(UTC),
    )  # fmt: skip


def _worst(results: list[dict[str, Any]]) -> str | None:
    severities = [result["severity"] for result in results if not result["success"]]
    return max(severities, key=SEVERITIES.index, default=None)


def record(settings: Settings, ledger: Connection, verdict: Verdict) -> Verdict:
    """Seal a verdict and insert it. Raises ConfigurationError without the key of the seal."""
    sealed = replace(verdict, seal=seal(settings, verdict.record()))
    fields = {name: value for name, value in vars(sealed).items() if name != "verdict_id"}
    names, marks = ", ".join(fields), ", ".join(f"%({name})s" for name in fields)
    fields |= {"results": Jsonb(sealed.results), "suite": Jsonb(sealed.suite)}
    row = ledger.execute(f"insert into ops.verdict ({names}) values ({marks}) returning verdict_id", fields).fetchone()
    return replace(sealed, verdict_id=row[0] if row else 0)


def newest(ledger: Connection, scope: Scope, subject: str, build_id: int) -> Verdict | None:
    """The last verdict on a subject for exactly this build, or None. By its own time, which is sealed."""
    row = ledger.execute(
        f"select {FIELDS} from ops.verdict where scope = %s and subject = %s and build_id = %s "
        "order by judged_at desc, verdict_id desc limit 1",
        [scope, subject, build_id],
    ).fetchone()
    return Verdict(*row) if row else None


def is_genuine(settings: Settings, verdict: Verdict, suite: Suite) -> bool:
    """True when the gate wrote the row as it is, and passing follows from its results and the suite."""
    alike = len(verdict.results) == len(suite.expectations) and all(
        result["place"] == place
        and result["expectation"] == rule.type
        and result["severity"] == ("critical" if result["problem"] else rule.severity)
        for place, (result, rule) in enumerate(zip(verdict.results, suite.expectations, strict=False))
    )
    follows = verdict.passed == (_worst(verdict.results) != "critical")
    return alike and follows and is_sealed(settings, verdict.record(), verdict.seal)


def fingerprint(connection: Connection, schema: str, relation: str) -> str | None:
    """Tells the rows of a relation apart from any others, whatever their order. None: it is missing or not readable."""
    try:
        with connection.transaction():
            return fingerprint_of(connection, sql.Identifier(schema, relation))
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return None


def fingerprint_of(connection: Connection, rows: sql.Composable) -> str:
    """Number of rows, and the sums of both halves of each row's MD5: a change of one cell shows, in one pass without
    sorting."""
    query = sql.SQL(
        "with row as (select md5(cast(part as text)) as hash from {} as part) "
        "select concat_ws(':', count(*), sum(cast(cast('x' || left(hash, 16) as bit(64)) as bigint)), "
        "sum(cast(cast('x' || right(hash, 16) as bit(64)) as bigint))) from row"
    ).format(rows)
    row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""
