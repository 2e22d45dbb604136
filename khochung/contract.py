"""The one catalogue: source contracts and dataset declarations, read from the dbt YAML.

A source contract is a dbt `sources:` entry; a dataset is a model under `models/open_data/` whose
`config.meta.dataset` says that it is published. Unknown keys are refused, so a misspelt setting cannot be ignored.
Importing and reading this module touches no network and no database: DAG files call it while they are parsed.
"""

import hashlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AwareDatetime, Field, ValidationError, model_validator

from khochung import province
from khochung.errors import ContractError
from khochung.settings import PROJECT
from khochung.strict import Strict, Text

DBT_PROJECT = PROJECT / "dbt_project"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it is built in
Privacy = Literal["none", "quasi", "identifier", "sensitive"]
DataType = Literal[
    "text", "integer", "bigint", "numeric", "double precision", "boolean", "date", "timestamp", "timestamptz",
    "uuid", "jsonb",
]  # fmt: skip
LONGEST_NAME = 63
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,50}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Column(Strict):
    """A column of a source table. `path` is where the source keeps it (JSON path, CSV header); default: its name."""

    name: Identifier
    data_type: DataType
    description: str
    path: str
    privacy: Privacy
    date_format: str | None = None
    unit: str | None = None
    missing: tuple[str, ...] = ()
    """Texts that mean "nothing was said" in this column, besides those of its source. Raw keeps them."""
    code_list: Identifier | None = None
    """The list in the seed `source_code` that the column's codes are of, in this source's own version of it."""


Encoding = Literal[
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1258", "tcvn3", "vni", "auto",
]  # fmt: skip


class FileFormat(Strict):
    """How a dropped file is written.

    kind: `csv`, `xlsx` (also XLS: the file itself says which), `jsonl` (one JSON object a line).
    encoding: of text; `auto` tells it from the bytes. sheet: may be left out when a workbook has one only.
    header_row: where the header starts, counted from 1; of several `header_rows` a column's path joins the texts above
    it by ` / `. total_row: how the total's label starts, in one of the first three cells; what follows it are notes.
    counted_by_total: the first number in the total row is the number of rows, and must be it.
    member: drops are zip files, and this names the members to read (a glob without folders).
    """

    kind: Literal["csv", "xlsx", "jsonl"]
    delimiter: Annotated[str, Field(pattern=r"^[\t !#-~]$")] = ","
    encoding: Encoding = "utf-8"
    sheet: str | None = None
    header_row: int = Field(default=1, ge=1)
    header_rows: int = Field(default=1, ge=1, le=10)
    total_row: Annotated[str, Field(min_length=1)] | None = None
    counted_by_total: bool = False
    member: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "FileFormat":
        if self.counted_by_total and not self.total_row:
            raise ValueError("counted_by_total needs total_row")
        return self


class Wso2(Strict):
    """Client credentials at WSO2 API Manager, the gateway of the LGSP: `POST <address>/token`, HTTP Basic."""

    kind: Literal["wso2"] = "wso2"


class Keycloak(Strict):
    """Client credentials of a Keycloak realm: `POST <address>/realms/<realm>/protocol/openid-connect/token`."""

    kind: Literal["keycloak"]
    realm: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]


class Signed(Strict):
    """No token: every request carries an HMAC of method, target, time and body; see khochung.extract.credentials."""

    kind: Literal["signed"]


class AccessKey(Strict):
    """No token: `Authorization` is base64 of a JSON object of keys and partner, as at the service bus of TP. HCM."""

    kind: Literal["access_key"]
    app_name: str
    partner_code: str


class Service(Strict):
    """How a REST source is spoken to. The limits are the owner's; addresses and secrets come from the environment.

    `time_limit_minutes`: one table is read within it, or the read fails.
    """

    authentication: Annotated[Wso2 | Keycloak | Signed | AccessKey, Field(discriminator="kind")] = Wso2()
    requests_per_second: float | None = Field(default=None, gt=0)
    at_once: int = Field(default=4, ge=1, le=32)
    time_limit_minutes: int = Field(default=60, ge=1)


class Paging(Strict):
    """How a REST table is cut into pages: by number from `first`, by offset and limit, or by an opaque cursor.

    `parameter` and `size_parameter` are the names in the query (default: `page` and `pageSize`, `offset` and `limit`,
    `cursor` and `limit`); `next` is where an answer keeps the cursor of the page after it (JSON path).
    """

    by: Literal["page", "offset", "cursor"] = "page"
    size: int = Field(default=5000, ge=1)
    first: int = Field(default=1, ge=0)
    parameter: str = ""
    size_parameter: str = ""
    next: str = "NextCursor"

    @model_validator(mode="before")
    @classmethod
    def _usual_names(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        by = values.get("by", "page")
        return {"parameter": by, "size_parameter": "pageSize" if by == "page" else "limit"} | values


class Table(Strict):
    """One table of a source: where it is, how it is keyed, and how a delivery is merged.

    load: `cursor` (rows changed in a window), `snapshot` (the full state each time; vanished keys become tombstones)
    or `append` (each file adds rows). `row_floor`: a full delivery below this share of the current rows is refused.
    `delete_guard`: a delivery that would tombstone more than this share is refused. `overlap_hours`: how far a cursor
    read reaches back behind the watermark; at least a day, since a day is read before it is over.
    """

    source: Identifier
    name: Identifier
    description: str
    path: str
    load: Literal["cursor", "snapshot", "append"]
    key: tuple[Identifier, ...] = Field(min_length=1)
    cursor: Identifier | None = None
    overlap_hours: int = Field(default=48, ge=24)
    row_floor: float = Field(default=0.9, ge=0, le=1)
    delete_guard: float = Field(default=0.1, ge=0, le=1)
    format: FileFormat | None = None
    paging: Paging = Paging()
    columns: tuple[Column, ...] = Field(min_length=1)
    declared_in: str

    @model_validator(mode="after")
    def _consistent(self) -> "Table":
        names = [column.name for column in self.columns]
        for field, wanted in (("key", self.key), ("cursor", (self.cursor,) if self.cursor else ())):
            unknown = [name for name in wanted if name not in names]
            if unknown:
                raise ValueError(f"{field} names {', '.join(unknown)}, which is no column of {self.source}.{self.name}")
        if len(set(names)) != len(names):
            raise ValueError(f"a column of {self.source}.{self.name} is declared twice")
        if (self.load == "cursor") != (self.cursor is not None):
            raise ValueError(f"{self.source}.{self.name}: load: cursor needs `cursor:`, and only it does")
        if len(f"{self.relation}__history") > LONGEST_NAME:
            raise ValueError(
                f"{self.relation}__history is longer than {LONGEST_NAME} letters, which PostgreSQL would cut off"
            )
        return self

    @property
    def relation(self) -> str:
        """Name of the table inside schema `raw`."""
        return f"{self.source}__{self.name}"

    @property
    def sha256(self) -> str:
        """Identity of what decides which rows are kept and how; wording, pages and words for nothing do not."""
        aside: dict[str, Any] = dict.fromkeys(("description", "declared_in", "paging"), True)
        aside["columns"] = {"__all__": {"description", "missing"}}
        return hashlib.sha256(self.model_dump_json(exclude=aside).encode()).hexdigest()


class Source(Strict):
    """A source system: its connector, owner, schedule (cron, Asia/Ho_Chi_Minh) and promise of freshness."""

    name: Identifier
    title_vi: str
    description: str
    connector: Literal["lgsp", "database", "files"]
    owner_agency: str
    schedule: str
    fresh_within_hours: int
    legal_basis: str
    service: Service = Service()
    folder: Annotated[str, Field(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+)*$")] | None = None
    """Of `connector: files`: the folder beside `dbt_project/` with files that we review ourselves, where no owner drops any."""
    missing: tuple[str, ...] = ("", "null", "Không rõ", "không rõ")
    """Texts that mean "nothing was said", in every text column. Raw keeps them; staging reads them as null."""
    tables: tuple[Table, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "Source":
        names = [table.name for table in self.tables]
        if len(set(names)) != len(names):
            raise ValueError(f"a table of {self.name} is declared twice")
        if self.folder and self.connector != "files":
            raise ValueError(f"folder is for `connector: files`; {self.name} has `connector: {self.connector}`")
        rest = ["service"] if self.service != Service() else []
        rest += [f"paging of {table.name}" for table in self.tables if table.paging != Paging()]
        if rest and self.connector != "lgsp":
            raise ValueError(
                f"{', '.join(rest)} is for `connector: lgsp`; {self.name} has `connector: {self.connector}`"
            )
        return self

    def table(self, name: str) -> Table:
        for table in self.tables:
            if table.name == name:
                return table
        raise ContractError(f"source {self.name} has no table {name}: it has {', '.join(t.name for t in self.tables)}")


class Linked(Strict):
    """Another dataset whose sums are those of this one: over everything but the columns `by`, which both have.

    `running`: the other counts from the start of the year to the end of the period in this column, of which this one
    has the parts.
    """

    dataset: Slug
    by: tuple[Identifier, ...] = ()
    running: Identifier | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Linked":
        if self.running and self.running in self.by:
            raise ValueError("running: the column of the period is not one of `by`")
        return self


PEOPLE = ("person", "dossier", "petition")  # units of which each is of one person


class Disclosure(Strict):
    """How the people or firms behind a dataset are protected. Without one nothing is published.

    unit: who is counted. method: `cell_key` (counts with noise that belongs to the records counted; below the threshold
    withheld), `dominance` (values of fewer than three contributors, or of which one could be told by another, are
    withheld, and as many more as hide them), or `none`, for which the `reason` is told to the public.
    threshold: counts below it are withheld. sensitivity: `sensitive` wants a threshold of 10 everywhere.
    geography and vintage: the one list of places that this topic is published by, and its first day.
    zeros: a zero is withheld like any small count; there is no other rule yet. parts: measures that are a part of another.
    rates: a measure worked out from two published ones. linked: see Linked. approver: who answers for this policy.
    """

    unit: Literal["person", "business", "parcel", "dossier", "petition", "none"]
    method: Literal["cell_key", "dominance", "none"]
    threshold: int = Field(default=0, ge=0)
    sensitivity: Literal["public", "ordinary", "sensitive"]
    geography: Literal["none", "province", "agency", "commune"]
    vintage: date | None = None
    zeros: Literal["withheld"] = "withheld"
    parts: dict[Identifier, Identifier] = Field(default_factory=dict)
    rates: dict[Identifier, tuple[Identifier, Identifier]] = Field(default_factory=dict)
    linked: tuple[Linked, ...] = ()
    reason: Text | None = None
    approver: Text

    @model_validator(mode="after")
    def _consistent(self) -> "Disclosure":
        if (self.method == "none") != (self.reason is not None):
            raise ValueError("method: none needs its `reason`, and only it has one")
        if self.method == "none" and (self.unit in PEOPLE or self.sensitivity != "public"):
            raise ValueError(
                "method: none is for what is public anyway, and never for counts of people, or of what they have filed"
            )
        if self.method == "cell_key" and self.unit not in PEOPLE:
            raise ValueError("method: cell_key is for counts of people, or of what they have filed")
        least = 10 if self.sensitivity == "sensitive" or self.geography == "commune" else 5
        if self.method == "cell_key" and self.threshold < least:
            raise ValueError(f"threshold: at least {least} for {self.sensitivity} counts by {self.geography}")
        if (self.geography == "commune") != (self.vintage is not None):
            raise ValueError("geography: commune needs its `vintage`, and only it has one")
        return self


class Upcoming(Strict):
    """What programs that read a dataset must be ready for: the columns that a later version drops or alters, and why."""

    columns: tuple[Identifier, ...] = Field(min_length=1)
    note: Text


class Geometry(Strict):
    """Where the rows of a dataset lie: columns with a point in WGS 84, in degrees, and how exact it is."""

    longitude: Identifier
    latitude: Identifier
    note: Text

    @property
    def position(self) -> tuple[str, str]:
        """The columns in the order of RFC 7946: longitude first."""
        return self.longitude, self.latitude


class DatasetColumn(Strict):
    """A published column. `role`: `key` identifies a row across versions, `measure` is a number, else `attribute`."""

    name: Identifier
    data_type: str
    description: str
    label: Text
    description_vi: str
    role: Literal["key", "attribute", "measure"]
    unit: str | None = None
    codes: dict[str, Text] | None = None


class Dataset(Strict):
    """A published dataset: an `open_data` model and what the public is told about it.

    `embargo_until`: no new version goes out before. `upcoming`: a breaking change, announced before it comes. `geometry`:
    where the rows lie; then there is a GeoJSON file too.
    """

    model: Identifier
    slug: Slug
    title: Text
    summary: Text
    theme: Literal[
        "population", "land", "business", "public-services", "digital-transformation", "finance", "society", "territory"
    ]
    keywords: tuple[Text, ...] = Field(min_length=1)
    publisher: Text
    contact: str
    licence: str
    frequency: Literal["DAILY", "MONTHLY", "QUARTERLY", "ANNUAL", "IRREG"]
    legal_basis: str
    disclosure: Disclosure
    embargo_until: AwareDatetime | None = None
    upcoming: Upcoming | None = None
    geometry: Geometry | None = None
    columns: tuple[DatasetColumn, ...] = Field(min_length=1)
    declared_in: str

    @model_validator(mode="after")
    def _a_point_is_in_numbers(self) -> "Dataset":
        numbers = {column.name for column in self.columns if column.role == "measure"}
        unknown = set(self.geometry.position) - numbers if self.geometry else set()
        if unknown:
            raise ValueError(f"geometry names {', '.join(sorted(unknown))}, which is no measure")
        return self

    @model_validator(mode="after")
    def _every_measure_is_protected(self) -> "Dataset":
        """Of a protected dataset every measure has its flag, or is a rate of two that have."""
        policy = self.disclosure
        names = {column.name for column in self.columns}
        measures = {column.name for column in self.columns if column.role == "measure"}
        flagged = {name for name in measures if f"{name}_suppressed" in names}
        rates = {name for name, parts in policy.rates.items() if set(parts) <= flagged}
        if policy.method != "none" and measures - flagged - rates:
            bare = ", ".join(sorted(measures - flagged - rates))
            raise ValueError(f"{bare}: a protected measure needs its column <measure>_suppressed, or its two `rates`")
        unknown = (set(policy.rates) | set(policy.parts) | set(policy.parts.values())) - measures
        if unknown:
            raise ValueError(f"disclosure names {', '.join(sorted(unknown))}, which is no measure")
        return self

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.role == "key")

    def schema_record(self) -> list[dict[str, Any]]:
        """What makes two versions comparable: names, types, roles, units and codes, but not the words about them."""
        return [
            {"name": c.name, "type": c.data_type, "role": c.role, "unit": c.unit, "codes": sorted(c.codes or {})}
            for c in self.columns
        ]


def _documents(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    found = []
    for path in sorted(folder.rglob("*.yml")):
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506 (it is the safe one)
        except yaml.YAMLError as error:
            raise ContractError(f"{path.name}: this is not YAML: {error}") from error
        if not isinstance(content or {}, dict):
            raise ContractError(
                f"{path.name}: expected keys such as `version:` and `sources:` at the top, found a list or text"
            )
        found.append((path, content or {}))
    return found


def _explain(error: ValidationError, where: str) -> ContractError:
    lines = []
    problems = error.errors(include_url=False, include_input=False)
    for problem in problems:
        inner = (other["loc"] for other in problems if len(other["loc"]) > len(problem["loc"]))
        if problem["type"] == "too_short" and any(loc[: len(problem["loc"])] == problem["loc"] for loc in inner):
            continue  # a list is only empty because its entries are wrong
        place = ".".join(str(part) for part in problem["loc"]) or "entry"
        lines.append(f"  {place}: {problem['msg']}")
    return ContractError(f"{where} is malformed; correct these lines:\n" + "\n".join(lines))


def _meta(entry: dict[str, Any]) -> dict[str, Any]:
    return dict((entry.get("config") or {}).get("meta") or {})


def _known(entry: dict[str, Any], allowed: set[str], where: str) -> None:
    unknown = sorted(set(entry) - allowed)
    if unknown:
        raise ContractError(f"{where}: unknown key {', '.join(unknown)}; allowed: {', '.join(sorted(allowed))}")


def _source(entry: dict[str, Any], path: Path) -> Source:
    where = f"{path.name}: source {entry.get('name', '?')}"
    _known(entry, {"name", "schema", "description", "config", "tables"}, where)
    tables = []
    for item in entry.get("tables") or []:
        _known(
            item,
            {"name", "identifier", "description", "config", "columns", "data_tests"},
            f"{where}, table {item.get('name')}",
        )
        columns = [
            {key: value for key, value in column.items() if key not in ("config", "data_tests")}
            | {"path": column.get("name")}
            | _meta(column)
            for column in item.get("columns") or []
        ]
        if item.get("identifier") != f"{entry.get('name')}__{item.get('name')}":
            raise ContractError(f"{where}, table {item.get('name')}: identifier must be <source>__<table>")
        tables.append(
            _meta(item)
            | {"source": entry.get("name"), "name": item.get("name"), "description": item.get("description")}
            | {"columns": columns, "declared_in": path.name}
        )
    body = {"name": entry.get("name"), "description": entry.get("description"), "tables": tables} | _meta(entry)
    try:
        return Source.model_validate(body)
    except ValidationError as error:
        raise _explain(error, where) from error


@cache
def sources(folder: Path = DBT_PROJECT / "models" / "staging") -> dict[str, Source]:
    """Every source contract by name. Raises ContractError naming the file, the entry and the line to correct."""
    found: dict[str, Source] = {}
    for path, content in _documents(folder):
        for entry in content.get("sources") or []:
            source = _source(entry, path)
            if source.name in found:
                raise ContractError(f"{path.name}: source {source.name} is declared twice")
            found[source.name] = source
    if not found:
        raise ContractError(f"no source contract under {folder.name}/: expected files *__sources.yml")
    return found


def source(name: str) -> Source:
    """The contract of one source, or a ContractError that lists the known ones."""
    known = sources()
    if name not in known:
        raise ContractError(f"no source {name}: known are {', '.join(known)}")
    return known[name]


def _dataset(entry: dict[str, Any], path: Path, served: province.Province) -> Dataset:
    where = f"{path.name}: dataset {entry.get('name', '?')}"
    columns = [
        {key: value for key, value in column.items() if key in ("name", "data_type", "description")} | _meta(column)
        for column in entry.get("columns") or []
    ]
    body = dict(_meta(entry)["dataset"]) | {
        "model": entry.get("name"),
        "columns": columns,
        "declared_in": path.name,
    }
    try:
        dataset = Dataset.model_validate(province.filled(body, served))
    except ValidationError as error:
        raise _explain(error, where) from error
    except KeyError as error:
        raise ContractError(
            f"{where}: ${error.args[0]} is nothing that a province gives: khochung/province.py"
        ) from error
    if not dataset.key:
        raise ContractError(f"{where}: no column has role: key, so rows cannot be told apart across versions")
    return dataset


def datasets(folder: Path = DBT_PROJECT / "models" / "open_data") -> dict[str, Dataset]:
    """Every published dataset by slug, as the province that is served publishes it.

    A model without `config.meta.dataset` is not published.
    """
    return _datasets(folder, province.served())


@cache
def _datasets(folder: Path, served: province.Province) -> dict[str, Dataset]:
    found: dict[str, Dataset] = {}
    for path, content in _documents(folder):
        for entry in content.get("models") or []:
            if "dataset" not in _meta(entry):
                continue
            dataset = _dataset(entry, path, served)
            if dataset.slug in found:
                raise ContractError(f"{path.name}: slug {dataset.slug} is declared twice")
            found[dataset.slug] = dataset
    return found
