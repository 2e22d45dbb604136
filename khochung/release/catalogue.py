"""The catalogue of a release: DCAT-AP, data.json and a small static API, all from the same entries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from khochung import portal
from khochung.contract import Dataset
from khochung.province import Province
from khochung.release.describe import OPEN, FileFact, as_record, bilingual, disclosure_note, json_bytes, table_schema
from khochung.release.formats import FORMATS
from khochung.release.turtle import turtle
from khochung.release.versions import Version
from khochung.strict import Text

EU = "http://publications.europa.eu/resource/authority"
THEMES = {
    "population": "SOCI",
    "land": "ENVI",
    "business": "ECON",
    "public-services": "GOVE",
    "digital-transformation": "TECH",
    "finance": "ECON",
    "society": "SOCI",
    "territory": "REGI",
}
PERIODS = {
    "DAILY": "R/P1D",
    "MONTHLY": "R/P1M",
    "QUARTERLY": "R/P3M",
    "ANNUAL": "R/P1Y",
    "IRREG": "irregular",
}
CATALOGUE_SUMMARY = Text(
    vi="Các bộ dữ liệu mở của tỉnh, mỗi phiên bản đều được kiểm tra trước khi công bố.",
    en="The province's open datasets; every version is checked before it is published.",
)


@dataclass(frozen=True)
class Withdrawal:
    """When, and why in both languages, the bytes of a version were taken away."""

    on: date
    reason: Text

    def record(self) -> dict[str, Any]:
        return {"on": self.on.isoformat(), "reason": bilingual(self.reason)}


@dataclass(frozen=True)
class Withdrawn:
    """A line of the public log of withdrawals: what, on which day, why."""

    slug: str
    version: str
    withdrawn: date
    reason: Text


@dataclass(frozen=True)
class VersionFact:
    """One immutable version of a dataset. `released`: the day of the data that first carried it.

    `covers_from`: the first day that its rows are about; `reason`: why there is this version; `files` is empty once it
    was withdrawn.
    """

    version: str
    released: date
    content_sha256: str
    rows: int
    suppressed_cells: int
    covers_from: date
    reason: Text
    files: tuple[FileFact, ...]
    withdrawn: Withdrawal | None = None

    @property
    def data_files(self) -> tuple[FileFact, ...]:
        return tuple(fact for fact in self.files if fact.format is not None)

    @property
    def bytes(self) -> int:
        return sum(fact.bytes for fact in self.files)

    def record(self) -> dict[str, Any]:
        body = {name: value for name, value in vars(self).items() if name != "files"}
        return body | {
            "released": self.released.isoformat(),
            "covers_from": self.covers_from.isoformat(),
            "reason": bilingual(self.reason),
            "withdrawn": self.withdrawn.record() if self.withdrawn else None,
            "files": [as_record(fact) for fact in self.files],
        }

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> "VersionFact":
        gone = record["withdrawn"]
        texts = {
            "released": date.fromisoformat(record["released"]),
            "covers_from": date.fromisoformat(record["covers_from"]),
            "reason": Text(**record["reason"]),
            "withdrawn": Withdrawal(date.fromisoformat(gone["on"]), Text(**gone["reason"])) if gone else None,
            "files": tuple(FileFact(**fact) for fact in record["files"]),
        }
        return cls(**{**record, **texts})


def newest_first(versions: Iterable[VersionFact]) -> tuple[VersionFact, ...]:
    return tuple(sorted(versions, key=lambda fact: Version.parse(fact.version), reverse=True))


def in_force(versions: Iterable[VersionFact]) -> VersionFact | None:
    """The newest version that was not withdrawn; `versions` are newest first."""
    return next((version for version in versions if version.withdrawn is None), None)


@dataclass(frozen=True)
class Announcement:
    """A breaking change that is to come: the columns, what is said of it, and since when the public has been told."""

    columns: tuple[str, ...]
    note: Text
    since: date

    def record(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "note": bilingual(self.note), "since": self.since.isoformat()}

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> "Announcement":
        return cls(tuple(record["columns"]), Text(**record["note"]), date.fromisoformat(record["since"]))


@dataclass(frozen=True)
class Checks:
    """What the newest verdict said. `evaluated` is 0 when this build has none."""

    evaluated: int
    failed: int
    passed: bool


@dataclass(frozen=True)
class Entry:
    """A declared dataset in a release: its public versions (newest first), its state, its newest checks and their report.

    `upcoming`: what is announced for it. `withdrawn`: the versions whose bytes are gone.
    """

    dataset: Dataset
    versions: tuple[VersionFact, ...]
    held: Text | None
    checks: Checks
    quality_path: str | None = None
    upcoming: Announcement | None = None
    withdrawn: tuple[VersionFact, ...] = ()

    @property
    def latest(self) -> VersionFact | None:
        return self.versions[0] if self.versions else None


@dataclass(frozen=True)
class Site:
    """All that the pages and the catalogue say. `base_url` has no slash at its end; "" means relative addresses.

    `public_key`: the key of the signatures, in the one line that `minisign -V -P` takes.
    """

    release_id: str
    as_of: date
    build_id: int
    base_url: str
    notice: Text | None
    entries: tuple[Entry, ...]
    province: Province
    withdrawals: tuple[Withdrawn, ...] = ()
    public_key: str = ""

    @property
    def title(self) -> Text:
        return Text(vi=f"Dữ liệu mở {self.province.name.vi}", en=f"Open data of {self.province.name.en}")

    def url(self, path: str) -> str:
        return f"{self.base_url}{path}"


def with_entries(site: Site, entries: tuple[Entry, ...], withdrawn: tuple[Withdrawn, ...]) -> Site:
    """The site with its datasets, and the log of withdrawals, newest first."""
    log = sorted(withdrawn, key=lambda gone: (gone.withdrawn, gone.slug, gone.version), reverse=True)
    return replace(site, entries=entries, withdrawals=tuple(log))


def documents(site: Site) -> dict[str, bytes]:
    """Path below the docroot -> bytes of every machine-readable catalogue file."""
    found = {
        "catalog.jsonld": json_bytes(dcat(site)),
        "catalog.ttl": turtle(dcat(site)).encode(),
        "data.json": json_bytes(data_json(site)),
        "api/v1/catalog.json": json_bytes(api_catalogue(site)),
        "api/v1/status.json": json_bytes(api_status(site)),
        "api/v1/withdrawals.json": json_bytes(api_withdrawals(site)),
    }
    for entry in site.entries:
        found[f"data/{entry.dataset.slug}/versions.json"] = json_bytes(
            versions_json(entry.dataset.slug, (*entry.versions, *entry.withdrawn), entry.upcoming)
        )
        found[f"api/v1/datasets/{entry.dataset.slug}.json"] = json_bytes(api_dataset(site, entry))
    return found


def versions_json(slug: str, versions: tuple[VersionFact, ...], upcoming: Announcement | None = None) -> dict[str, Any]:
    """The index of a dataset's versions, newest first; also what the next release reads."""
    latest = in_force(versions)
    return {
        "dataset": slug,
        "latest": latest.version if latest else None,
        "upcoming": upcoming.record() if upcoming else None,
        "versions": [version.record() for version in newest_first(versions)],
    }


def _summary(site: Site, entry: Entry) -> dict[str, Any]:
    dataset, latest = entry.dataset, entry.latest
    folder = f"/data/{dataset.slug}/v/{latest.version}" if latest else None
    return {
        "slug": dataset.slug,
        "title": bilingual(dataset.title),
        "summary": bilingual(dataset.summary),
        "theme": dataset.theme,
        "keywords": [bilingual(keyword) for keyword in dataset.keywords],
        "publisher": bilingual(dataset.publisher),
        "frequency": dataset.frequency,
        "licence": OPEN.uri,
        "version": latest.version if latest else None,
        "released": latest.released.isoformat() if latest else None,
        "rows": latest.rows if latest else None,
        "late": bilingual(entry.held) if entry.held else None,
        "disclosure": bilingual(disclosure_note(dataset)),
        "columns": [{"name": c.name, "type": c.data_type, "label": bilingual(c.label)} for c in dataset.columns],
        "versions": site.url(f"/data/{dataset.slug}/versions.json"),
        "files": [as_record(f) | {"url": site.url(f"{folder}/{f.name}")} for f in (latest.files if latest else ())],
    }


def api_catalogue(site: Site) -> dict[str, Any]:
    return {
        "title": bilingual(site.title),
        "release": site.release_id,
        "as_of": site.as_of.isoformat(),
        "notice": bilingual(site.notice) if site.notice else None,
        "conditions": bilingual(OPEN.statement),
        "datasets": [_summary(site, entry) for entry in site.entries],
    }


def api_dataset(site: Site, entry: Entry) -> dict[str, Any]:
    """All that is known of one dataset: the catalogue's line, its columns with their codes, and what is to come."""
    dataset = entry.dataset
    fields = table_schema(dataset)
    return _summary(site, entry) | {
        "release": site.release_id,
        "legal_basis": dataset.legal_basis,
        "contact": dataset.contact,
        "conditions": bilingual(OPEN.statement),
        "key": fields["primaryKey"],
        "columns": fields["fields"],
        "upcoming": entry.upcoming.record() if entry.upcoming else None,
        "public_versions": [fact.version for fact in entry.versions],
        "withdrawn_versions": [fact.version for fact in entry.withdrawn],
        "feed": site.url(f"/data/{dataset.slug}/feed.atom"),
    }


def api_status(site: Site) -> dict[str, Any]:
    """Is each dataset fresh and checked? One line for each."""
    return {
        "release": site.release_id,
        "as_of": site.as_of.isoformat(),
        "build": site.build_id,
        "datasets": [
            {
                "slug": entry.dataset.slug,
                "state": "held" if entry.held else "current",
                "version": entry.latest.version if entry.latest else None,
                "reason": bilingual(entry.held) if entry.held else None,
                "checks_evaluated": entry.checks.evaluated,
                "checks_failed": entry.checks.failed,
                "passed": entry.checks.passed,
            }
            for entry in site.entries
        ],
    }


def api_withdrawals(site: Site) -> dict[str, Any]:
    """The public log of withdrawals, newest first."""
    return {
        "release": site.release_id,
        "withdrawals": [
            {
                "dataset": gone.slug,
                "version": gone.version,
                "on": gone.withdrawn.isoformat(),
                "reason": bilingual(gone.reason),
            }
            for gone in site.withdrawals
        ],
    }


def data_json(site: Site) -> dict[str, Any]:
    """The simplest harvest format (Project Open Data, DCAT-US 1.1 terms)."""
    return {
        "conformsTo": "https://project-open-data.cio.gov/v1.1/schema",
        "@type": "dcat:Catalog",
        "dataset": [_data_json_entry(site, entry, entry.latest) for entry in site.entries if entry.latest],
    }


def _data_json_entry(site: Site, entry: Entry, latest: VersionFact) -> dict[str, Any]:
    dataset = entry.dataset
    return {
        "@type": "dcat:Dataset",
        "identifier": site.url(f"/data/{dataset.slug}/"),
        "title": dataset.title.vi,
        "description": dataset.summary.vi,
        "keyword": [keyword.vi for keyword in dataset.keywords],
        "modified": latest.released.isoformat(),
        "version": latest.version,
        "publisher": {"@type": "org:Organization", "name": dataset.publisher.vi},
        "contactPoint": {"@type": "vcard:Contact", "fn": dataset.publisher.vi, "hasEmail": _contact(dataset)},
        "accessLevel": "public",
        "license": OPEN.uri,
        "accrualPeriodicity": PERIODS[dataset.frequency],
        "language": ["vi"],
        "theme": [dataset.theme],
        "distribution": [
            {
                "@type": "dcat:Distribution",
                "title": form.label,
                "mediaType": fact.media_type,
                "format": form.label,
                "downloadURL": site.url(f"/data/{dataset.slug}/v/{latest.version}/{fact.name}"),
            }
            for form, fact in distributions(latest)
        ],
    }


def _contact(dataset: Dataset) -> str:
    return f"mailto:{dataset.contact}" if "@" in dataset.contact and ":" not in dataset.contact else dataset.contact


def distributions(latest: VersionFact) -> list[tuple[Any, FileFact]]:
    """The data files of a version with their formats, in the order in which they are offered."""
    by_suffix = {fact.format: fact for fact in latest.data_files}
    return [(form, by_suffix[form.suffix]) for form in FORMATS if form.suffix in by_suffix]


_CONTEXT: dict[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "spdx": "http://spdx.org/rdf/terms#",
    "dcatap": "http://data.europa.eu/r5r/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}


def _texts(text: Text) -> list[dict[str, str]]:
    return [{"@value": text.vi, "@language": "vi"}, {"@value": text.en, "@language": "en"}]


def _ref(iri: str, *types: str) -> dict[str, Any]:
    return {"@id": iri} | ({"@type": list(types)} if types else {})


def _day(value: date) -> dict[str, str]:
    return {"@value": value.isoformat(), "@type": "xsd:date"}


def _period(version: VersionFact) -> dict[str, Any]:
    body = {"dcat:startDate": _day(version.covers_from), "dcat:endDate": _day(version.released)}
    return {"@type": "dct:PeriodOfTime"} | body


def _agency(name: Text) -> dict[str, Any]:
    kind = "http://purl.org/adms/publishertype/RegionalAuthority"
    return {"@type": "foaf:Organization", "foaf:name": _texts(name), "dct:type": _ref(kind)}


def _languages() -> list[dict[str, Any]]:
    return [_ref(f"{EU}/language/VIE"), _ref(f"{EU}/language/ENG")]


def dcat(site: Site) -> dict[str, Any]:
    """DCAT-AP 3.0.1 as JSON-LD. Relative addresses resolve against the catalogue's own place."""
    released = [entry for entry in site.entries if entry.latest]
    name = site.province.name
    publisher = Text(vi=f"Ủy ban nhân dân {name.vi}", en=f"People's Committee of {name.en}")
    catalogue = {
        "@id": site.url("/catalog.jsonld#catalog"),
        "@type": "dcat:Catalog",
        "dct:title": _texts(site.title),
        "dct:description": _texts(CATALOGUE_SUMMARY),
        "dct:publisher": _agency(publisher),
        "dct:language": _languages(),
        "dct:license": _ref(OPEN.eu_uri),
        "dct:issued": _day(min((v.released for e in released for v in e.versions), default=site.as_of)),
        "dct:modified": _day(site.as_of),
        "dct:spatial": _ref(f"{EU}/country/VNM"),
        "foaf:homepage": _ref(site.url("/index.html"), "foaf:Document"),
        "dcat:themeTaxonomy": _ref(f"{EU}/data-theme"),
        "dcat:dataset": [_dcat_dataset(site, entry, entry.latest) for entry in released if entry.latest],
    }
    return {"@context": _CONTEXT} | catalogue


def _dcat_dataset(site: Site, entry: Entry, latest: VersionFact) -> dict[str, Any]:
    dataset = entry.dataset
    contact = {"@type": "vcard:Organization", "vcard:fn": dataset.publisher.vi}
    if "@" in dataset.contact:
        contact["vcard:hasEmail"] = _ref(_contact(dataset))  # type: ignore[assignment]
    return {
        "@id": site.url(f"/data/{dataset.slug}/"),
        "@type": "dcat:Dataset",
        "dct:title": _texts(dataset.title),
        "dct:description": _texts(dataset.summary),
        "dct:identifier": dataset.slug,
        "dcat:version": latest.version,
        "dct:publisher": _agency(dataset.publisher),
        "dcat:contactPoint": contact,
        "dcat:keyword": [text for keyword in dataset.keywords for text in _texts(keyword)],
        "dcat:theme": _ref(f"{EU}/data-theme/{THEMES[dataset.theme]}"),
        "dct:accrualPeriodicity": _ref(f"{EU}/frequency/{dataset.frequency}"),
        "dct:accessRights": _ref(f"{EU}/access-right/PUBLIC"),
        "dct:language": _languages(),
        "dct:spatial": _ref(f"{EU}/country/VNM"),
        "dct:temporal": _period(latest),
        "dct:issued": _day(entry.versions[-1].released),
        "dct:modified": _day(latest.released),
        "dcat:landingPage": _ref(site.url(portal.address("dataset", "vi", dataset.slug)), "foaf:Document"),
        "dcat:distribution": [
            _dcat_distribution(site, dataset, latest, form, fact) for form, fact in distributions(latest)
        ],
    }


def _dcat_distribution(site: Site, dataset: Dataset, latest: VersionFact, form: Any, fact: FileFact) -> dict[str, Any]:
    address = site.url(f"/data/{dataset.slug}/v/{latest.version}/{fact.name}")
    media = "https://www.iana.org/assignments/media-types"
    body = {
        "@id": f"{address}#distribution",
        "@type": "dcat:Distribution",
        "dct:title": f"{dataset.title.vi}: {form.label}",
        "dct:description": _texts(dataset.summary),
        "dcat:accessURL": _ref(address),
        "dcat:downloadURL": _ref(address),
        "dct:format": _ref(f"{EU}/file-type/{form.eu_type}"),
        "dcat:mediaType": _ref(f"{media}/{form.media_type}"),
        "dcat:byteSize": {"@value": str(fact.bytes), "@type": "xsd:nonNegativeInteger"},
        "dct:license": _ref(OPEN.eu_uri),
        "dct:rights": {"@type": "dct:RightsStatement", "rdfs:label": _texts(OPEN.statement)},
        "dct:issued": _day(latest.released),
        "dct:modified": _day(latest.released),
        "dcatap:availability": _ref(f"{EU}/planned-availability/AVAILABLE"),
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": _ref("http://spdx.org/rdf/terms#checksumAlgorithm_sha256"),
            "spdx:checksumValue": {"@value": fact.sha256, "@type": "xsd:hexBinary"},
        },
    }
    if form.compressed_media_type:
        body["dcat:compressFormat"] = _ref(f"{media}/{form.compressed_media_type}")
    return body
