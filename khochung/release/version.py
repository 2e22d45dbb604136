"""A version's folder: the data in every format, read back, and beside them what describes and proves them."""

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from khochung.errors import GateError
from khochung.release import csvw, describe, diff, files, provenance
from khochung.release.catalogue import VersionFact, newest_first
from khochung.release.content import Content, content_sha256, kind
from khochung.release.describe import FileFact, json_bytes
from khochung.release.diff import Table
from khochung.release.formats import BY_SUFFIX, FORMATS, Format, verify
from khochung.release.plan import Job, Plan
from khochung.strict import Text


def write(job: Job, tree: Path, plan: Plan) -> Plan:
    """Write a new version's folder, read every data file back, and return the plan with its final figures."""
    content = plan.content
    if content is None:
        return plan
    version = content.version
    folder = tree / "data" / plan.dataset.slug / "v" / version
    if folder.exists():
        raise GateError(f"{plan.dataset.slug} {version} exists already: a published version is never overwritten")
    facts = [_write_format(folder, content, form) for form in FORMATS if form.holds(content)]
    for name, body in _documents(job, plan, content, facts).items():
        facts.append(_write_beside(folder / name, json_bytes(body), "application/json"))
    sums = files.checksums(folder)
    facts.append(_write_beside(folder / files.SUMS, sums, "text/plain"))
    signature = job.key.sign(sums, comment(plan.dataset.slug, version))
    facts.append(_write_beside(folder / files.SIGNATURE, signature, "text/plain"))
    made = VersionFact(
        version, job.as_of, content_sha256(content), content.table.num_rows, content.suppressed(),
        _covers_from(content, job.as_of), plan.reason or Text(vi="-", en="-"), tuple(facts),
    )  # fmt: skip
    item = replace(plan.item, bytes=made.bytes) if plan.item.version == version else plan.item
    return replace(plan, versions=newest_first((made, *plan.versions)), item=item)


def comment(slug: str, version: str) -> str:
    """The trusted comment of a version's signature: what was signed."""
    return f"khochung dataset:{slug} version:{version}"


def _documents(job: Job, plan: Plan, content: Content, data: list[FileFact]) -> dict[str, Any]:
    """Name -> contents of everything that stands beside the data."""
    dataset, version = plan.dataset, content.version
    before, table = plan.previous or (None, None)
    if not plan.judged or plan.reason is None:
        raise GateError(f"{dataset.slug}: a version needs its verdicts and a reason")
    tabular = [(fact, BY_SUFFIX[fact.format or ""].tabular) for fact in data]
    return {
        "datapackage.json": describe.datapackage(content, version, job.as_of, tabular, content_sha256(content)),
        csvw.name(dataset.slug): csvw.metadata(content, job.as_of),
        "quality.json": (plan.report or {}) | {"version": version},
        "disclosure.json": describe.disclosure(content, version, plan.screening),
        "diff.json": diff.document(dataset, version, before, table, Table.of(content), plan.reason),
        "provenance.json": provenance.document(
            job.settings,
            job.ledger,
            dataset,
            version,
            job.as_of,
            job.build_id,
            plan.judged,
            plan.item.approval_id,
            job.source_approvals,
        ),
    }


def _covers_from(content: Content, as_of: date) -> date:
    """The earliest date in the key, else the day of the data."""
    days = [
        pc.min(content.table[column.name]).as_py()
        for column in content.dataset.columns
        if column.role == "key" and kind(column).table_schema == "date"
    ]
    return min((day for day in days if day), default=as_of)


def _write_format(folder: Path, content: Content, form: Format) -> FileFact:
    path = folder / f"{content.dataset.slug}.{form.suffix}"
    fact = _write_beside(path, form.write(content), form.compressed_media_type or form.media_type)
    verify(form, path.read_bytes(), content)
    return replace(fact, format=form.suffix)


def _write_beside(path: Path, data: bytes, media_type: str) -> FileFact:
    files.write(path, data)
    return FileFact(path.name, len(data), hashlib.sha256(data).hexdigest(), media_type)
