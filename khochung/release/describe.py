"""What stands beside the data of a version: Data Package, quality report, disclosure statement."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from khochung.contract import Dataset, DatasetColumn
from khochung.disclosure import statement
from khochung.disclosure.screen import Screening
from khochung.gate.admission import Judged
from khochung.release.content import Content, kind
from khochung.strict import Text

PACKAGE_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
RESOURCE_PROFILE = "https://datapackage.org/profiles/2.0/dataresource.json"
SCHEMA_PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"


@dataclass(frozen=True)
class Licence:
    """Conditions of use. No official Vietnamese licence text exists, so the conditions are stated beside the URI."""

    name: str
    uri: str
    eu_uri: str
    title: str
    statement: Text


OPEN = Licence(
    "CC-BY-4.0",
    "https://creativecommons.org/licenses/by/4.0/",
    "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
    "Creative Commons Attribution 4.0",
    Text(
        vi="Được tự do sao chép, chia sẻ, chỉnh sửa, kết hợp và sử dụng, kể cả cho mục đích thương mại, không phải "
        "đăng ký và không mất phí; phải ghi nguồn. Dữ liệu được cung cấp nguyên trạng; cơ quan cung cấp không bảo đảm "
        "và không chịu trách nhiệm về việc sử dụng lại.",
        en="Anyone may copy, share, adapt, combine and use the data, also commercially, without registration and free "
        "of charge, provided that the source is cited. The data come as they are, without warranty; the agency is not "
        "liable for their reuse.",
    ),
)


@dataclass(frozen=True)
class FileFact:
    """A published file of a version: name inside its folder, size in bytes, SHA-256, IANA media type.

    `format`: the suffix of a data format; None for what stands beside the data.
    """

    name: str
    bytes: int
    sha256: str
    media_type: str
    format: str | None = None


def json_bytes(value: Any) -> bytes:
    """JSON for people and programs alike: indented, UTF-8, ends with a line feed; key order as given."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def bilingual(text: Text) -> dict[str, str]:
    return {"vi": text.vi, "en": text.en}


def datapackage(
    content: Content, version: str, as_of: date, files: Iterable[tuple[FileFact, bool]], sha256: str
) -> dict[str, Any]:
    """A Data Package 2.0 descriptor. `files`: each data file, and whether a table reader can open it as it stands."""
    dataset = content.dataset
    return {
        "$schema": PACKAGE_PROFILE,
        "name": dataset.slug,
        "version": version,
        "title": dataset.title.vi,
        "description": dataset.summary.vi,
        "created": f"{as_of.isoformat()}T00:00:00+07:00",
        "keywords": [keyword.vi for keyword in dataset.keywords],
        "licenses": [{"name": OPEN.name, "path": OPEN.uri, "title": OPEN.title}],
        "contributors": [{"title": dataset.publisher.vi, "roles": ["publisher"]}],
        "sources": [{"title": dataset.publisher.vi}],
        "resources": [_resource(content, fact, tabular) for fact, tabular in files],
        "titles": bilingual(dataset.title),
        "descriptions": bilingual(dataset.summary),
        "publisher": bilingual(dataset.publisher) | {"contact": dataset.contact},
        "theme": dataset.theme,
        "frequency": dataset.frequency,
        "legalBasis": dataset.legal_basis,
        "conditions": bilingual(OPEN.statement),
        "rows": content.table.num_rows,
        "contentSha256": sha256,
    }


def _resource(content: Content, fact: FileFact, tabular: bool) -> dict[str, Any]:
    suffix = fact.format or ""
    resource: dict[str, Any] = {
        "$schema": RESOURCE_PROFILE,
        "name": f"{content.dataset.slug}-{suffix.replace('.', '-')}",
        "path": fact.name,
        "format": suffix,
        "mediatype": fact.media_type,
        "bytes": fact.bytes,
        "hash": f"sha256:{fact.sha256}",
    }
    if not tabular:
        return resource
    dialect = {"dialect": {"delimiter": ",", "lineTerminator": "\n", "header": True}} if suffix == "csv" else {}
    return resource | {"type": "table", "encoding": "utf-8"} | dialect | {"schema": table_schema(content.dataset)}


def table_schema(dataset: Dataset) -> dict[str, Any]:
    """A Table Schema: types, titles, constraints and codes of every column, in both languages."""
    return {
        "$schema": SCHEMA_PROFILE,
        "fields": [_field(column) for column in dataset.columns],
        "primaryKey": list(dataset.key),
        "missingValues": [""],
    }


def _field(column: DatasetColumn) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": column.name,
        "type": kind(column).table_schema,
        "title": column.label.vi,
        "description": column.description_vi,
        "titles": bilingual(column.label),
        "descriptions": {"vi": column.description_vi, "en": column.description},
        "role": column.role,
    }
    if column.unit:
        field["unit"] = column.unit
    constraints: dict[str, Any] = {"required": True} if column.role == "key" else {}
    if column.codes:
        field["codes"] = {code: bilingual(text) for code, text in column.codes.items()}
        if kind(column).table_schema == "string":
            constraints["enum"] = list(column.codes)
    return field | ({"constraints": constraints} if constraints else {})


def quality(dataset: Dataset, version: str | None, judged: tuple[Judged, ...], as_of: date) -> dict[str, Any]:
    """The verdicts in words: each check, whether it passed, and of the published relation counts; never a value of a row.
    What was observed of tables inside stays there: a share of a true total gives the total away.

    `judged`: the dataset's own suite first, then those that hold it against other tables. A critical check that failed and
    went out all the same names the approval by which somebody has accepted that.
    """
    verdicts = [one.verdict for one in judged]
    return {
        "dataset": dataset.slug,
        "version": version,
        "as_of": as_of.isoformat(),
        "passed": all(one.passed for one in judged),
        "checks_evaluated": sum(verdict.evaluated for verdict in verdicts),
        "checks_failed": sum(verdict.failed for verdict in verdicts),
        "suites": {verdict.subject: verdict.suite_sha256 for verdict in verdicts},
        "checks": [check for one in judged for check in _check_records(one)],
    }


def _check_records(judged: Judged) -> list[dict[str, Any]]:
    return [
        {
            "suite": judged.suite.subject,
            "check": result["expectation"],
            "column": result["column"],
            "severity": result["severity"],
            "passed": result["success"],
            "vi": expectation.meta.vi,
            "en": expectation.meta.en,
            "observed": result["observed"] if judged.verdict.scope == "dataset" else {},
        }
        | (
            {"accepted": judged.accepted}
            if judged.accepted and result["severity"] == "critical" and not result["success"]
            else {}
        )
        for expectation, result in zip(judged.suite.expectations, judged.verdict.results, strict=True)
    ]


def disclosure(content: Content, version: str, screening: Screening | None) -> dict[str, Any]:
    """How the people, firms or parcels behind the figures are protected in this version, and what the audit said."""
    policy = content.dataset.disclosure
    return {
        "dataset": content.dataset.slug,
        "version": version,
        "policy": policy.model_dump(mode="json", exclude_defaults=True),
        "statement": bilingual(disclosure_note(content.dataset)),
        "parameters": statement.parameters(policy),
        "measure_cells": content.measures(),
        "suppressed_cells": content.suppressed(),
    } | (statement.audited(screening) if screening else {})


disclosure_note = statement.note


def as_record(fact: FileFact) -> dict[str, Any]:
    return asdict(fact)
