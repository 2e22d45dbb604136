"""A public tree without a warehouse: the declared datasets with made-up rows of a dozen communes, and any number of copies."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from khochung import contract, province
from khochung.contract import Dataset, DatasetColumn
from khochung.digest import sha256
from khochung.release.catalogue import Checks, Entry, Site, VersionFact, versions_json
from khochung.release.content import Content, Row, kind
from khochung.release.describe import FileFact, json_bytes, table_schema
from khochung.release.formats import FORMATS
from khochung.strict import Text

AS_OF = date(2025, 9, 30)
# code, name, former units with their districts, point
COMMUNES = (
    ("28075", "Xã Tân Trụ", (("28075", "Thị trấn Tân Trụ"), ("28096", "Xã Bình Lãng")), "Huyện Tân Trụ", (106.50, 10.528)),
    ("28084", "Xã Vàm Cỏ", (("28084", "Xã Quê Mỹ Thạnh"), ("28087", "Xã Lạc Tấn")), "Huyện Tân Trụ", (106.47, 10.567)),
    ("25459", "Phường Tân Ninh", (("25456", "Phường 1"), ("25459", "Phường 3"), ("25462", "Phường 4")), "Thành phố Tây Ninh", (106.10, 11.310)),
    ("27694", "Phường Long An", (("27685", "Phường 5"), ("27688", "Phường 4")), "Thành phố Tân An", (106.41, 10.535)),
    ("27931", "Xã Đức Hòa", (("27931", "Thị trấn Đức Hòa"),), "Huyện Đức Hòa", (106.42, 10.88)),
    ("27943", "Xã Mỹ Hạnh", (("27943", "Xã Mỹ Hạnh Nam"), ("27946", "Xã Đức Hòa Đông")), "Huyện Đức Hòa", (106.50, 10.86)),
)  # fmt: skip
BIRTHDAY = "2025-07-01"


def datasets() -> dict[str, Dataset]:
    return dict(contract.datasets())


def make(
    root: Path, declared: dict[str, Dataset] | None = None, *, versions: int = 2, late: str | None = None,
    formats: tuple[str, ...] = ("csv", "json"), communes: int | None = None,
) -> Site:  # fmt: skip
    """Write the data of a release under `root` and return what the pages are made of. `late`: a slug to be held."""
    entries = [
        _entry(root, dataset, versions, dataset.slug == late, formats, communes)
        for dataset in (declared or datasets()).values()
    ]
    site = Site("2025-09-30.1", AS_OF, 7, "", None, tuple(entries), province.served())
    for name in ("catalog.json", "status.json"):
        _write(root / "api/v1" / name, b"{}\n")
    for name in ("catalog.jsonld", "data.json", "SHA256SUMS"):
        _write(root / name, b"{}\n")
    return site


def add_version(root: Path, site: Site, slug: str) -> Site:
    """The next release: one dataset has a new version with one more changed row, nothing else is different."""
    entries = []
    for entry in site.entries:
        if entry.dataset.slug == slug:
            fresh = _version(root, entry.dataset, len(entry.versions) + 1, ("csv",), None)
            entry = replace(entry, versions=(fresh, *entry.versions))
            _index(root, entry.dataset, entry.versions)
        entries.append(entry)
    return replace(site, release_id="2025-10-01.1", as_of=date(2025, 10, 1), entries=tuple(entries))


def _entry(
    root: Path, dataset: Dataset, count: int, late: bool, formats: tuple[str, ...], communes: int | None
) -> Entry:
    facts = [_version(root, dataset, number, formats, communes) for number in range(1, count + 1)]
    report = _report(dataset, facts[-1].version, passed=not late)
    _write(root / "data" / dataset.slug / "quality.json", report)
    _index(root, dataset, tuple(facts))
    held = Text(vi="Không đạt kiểm tra: Tổng khớp", en="Checks failed: Totals agree") if late else None
    return Entry(
        dataset, tuple(reversed(facts)), held, Checks(2, int(late), not late), f"/data/{dataset.slug}/quality.json"
    )


def _index(root: Path, dataset: Dataset, versions: tuple[VersionFact, ...]) -> None:
    _write(root / "data" / dataset.slug / "versions.json", json_bytes(versions_json(dataset.slug, versions)))


def _report(dataset: Dataset, version: str, passed: bool = True) -> bytes:
    checks = [
        {"check": "rows", "column": None, "severity": "critical", "passed": True, "vi": "Có dòng", "en": "Has rows"},
        {
            "check": "sum",
            "column": None,
            "severity": "critical",
            "passed": passed,
            "vi": "Tổng khớp",
            "en": "Totals agree",
        },
    ]
    body = {"dataset": dataset.slug, "version": version, "as_of": AS_OF.isoformat(), "passed": passed, "checks": checks}
    return json_bytes(body | {"checks_evaluated": 2, "checks_failed": int(not passed), "suite_sha256": "0"})


def _version(root: Path, dataset: Dataset, number: int, formats: tuple[str, ...], communes: int | None) -> VersionFact:
    version = f"2025.9.{number - 1}"
    content = Content.of(dataset, rows_of(dataset, number, communes))
    folder = root / "data" / dataset.slug / "v" / version
    files = {f"{dataset.slug}.{form.suffix}": form.write(content) for form in FORMATS if form.suffix in formats}
    package = {"name": dataset.slug, "version": version, "resources": [{"schema": table_schema(dataset)}]}
    files |= {"datapackage.json": json_bytes(package), "quality.json": _report(dataset, version)}
    files |= {"disclosure.json": json_bytes({"dataset": dataset.slug})}
    facts = []
    for name, data in files.items():
        _write(folder / name, data)
        suffix = name.removeprefix(f"{dataset.slug}.")
        facts.append(
            FileFact(name, len(data), sha256(folder / name), "text/plain", suffix if suffix in formats else None)
        )
    why = Text(vi="Phiên bản đầu tiên.", en="First version.")
    return VersionFact(version, AS_OF, f"{number}", len(content.rows), content.suppressed(), AS_OF, why, tuple(facts))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def rows_of(dataset: Dataset, number: int, communes: int | None) -> Iterator[Row]:
    """Rows in the shape of a declaration; those of a later version differ in one measure."""
    special = {"don-vi-hanh-chinh": units, "chuyen-doi-don-vi-hanh-chinh": crosswalk}.get(dataset.slug)
    if special:
        yield from special(dataset, communes)
        return
    keys = [column for column in dataset.columns if column.role == "key"]
    for place, combination in enumerate(itertools.product(*(_values(column, communes) for column in keys))):
        values = dict(zip((key.name for key in keys), combination, strict=True))
        withheld = place % 11 == 3
        row = [_cell(column, values, place, number, withheld) for column in dataset.columns]
        yield tuple(row)


def _values(column: DatasetColumn, communes: int | None) -> list[str]:
    if column.codes:
        return list(column.codes)
    if column.data_type == "date":
        return ["2025-06-30", "2025-07-31", "2025-08-31", "2025-09-30"]
    if column.name == "commune_code":
        return [code for code, *_ in every(communes)]
    if column.name == "age_band":
        return ["00-04", "05-09", "10-14", "80+"]
    return ["A", "B", "C"]


def _cell(column: DatasetColumn, keys: dict[str, str], place: int, number: int, withheld: bool) -> str | None:
    if column.name in keys:
        return keys[column.name]
    if column.name.endswith("_suppressed"):
        return "true" if withheld else "false"
    if column.name == "commune_name":
        return next((name for code, name, *_ in COMMUNES if code == keys["commune_code"]), keys["commune_code"])
    if column.role == "measure":
        return None if withheld and column.unit == "người" else str(10 + place * 7 % 90 + (number if place == 0 else 0))
    return _attribute(column, place)


def _attribute(column: DatasetColumn, place: int) -> str:
    if column.codes:
        return list(column.codes)[place % len(column.codes)]
    plain = {"boolean": "false", "date": "2025-01-01", "string": f"{column.label.vi} {place % 5}"}
    return plain.get(kind(column).table_schema, str(place))


def every(
    count: int | None,
) -> list[tuple[str, str, tuple[tuple[str, str], ...], str, tuple[float, float]]]:
    """The communes above, filled up to `count` with numbered ones."""
    return [
        *COMMUNES,
        *(
            (
                f"{40000 + i}",
                f"Xã Thử {i}",
                ((f"{40000 + i}", f"Xã Cũ {i}"),),
                "Huyện Thử",
                (106 + i / 200, 10.6 + i % 9 / 20),
            )
            for i in range((count or 0) - len(COMMUNES))
        ),
    ]


def units(dataset: Dataset, count: int | None) -> Iterator[Row]:
    for code, name, parts, district, (longitude, latitude) in every(count):
        yield _unit(dataset, code, name, BIRTHDAY, None, "Tỉnh Tây Ninh", True, longitude, latitude)
        for old, old_name in parts:
            yield _unit(dataset, old, old_name, "2004-01-01", "2025-06-30", district, False, longitude, latitude)


def _unit(
    dataset: Dataset, code: str, name: str, since: str, until: str | None, parent: str, present: bool, x: float, y: float
) -> Row:  # fmt: skip
    known = {
        "unit_code": code, "level_code": "XA", "valid_from": since, "valid_to": until, "unit_name": name,
        "parent_name": parent, "is_present": str(present).lower(), "latitude": str(y), "longitude": str(x),
        "legal_basis": "Nghị quyết 1682/NQ-UBTVQH15",
    }  # fmt: skip
    return tuple(known.get(column.name) for column in dataset.columns)


def crosswalk(dataset: Dataset, count: int | None) -> Iterator[Row]:
    for code, name, parts, district, _ in every(count):
        for old, old_name in parts:
            known = {
                "old_code": old, "old_valid_from": "2004-01-01", "old_name": old_name, "old_district_name": district,
                "old_valid_to": "2025-06-30", "new_code": code, "new_name": name, "weight_population": "1",
                "method_population": "whole", "weight_area": "0.4" if old == "28087" else "1", "method_area": "whole",
            }  # fmt: skip
            yield tuple(known.get(column.name) for column in dataset.columns)


def copies(count: int) -> dict[str, Dataset]:
    """`count` datasets: the declared ones, then copies of one of them under other names."""
    found = datasets()
    model = next(dataset for dataset in found.values() if dataset.slug == "sinh-tu-theo-thang")
    for number in range(count - len(found)):
        title = Text(vi=f"{model.title.vi}, bản {number}", en=f"{model.title.en}, copy {number}")
        slug = f"thu-{number}"
        found[slug] = model.model_copy(update={"slug": slug, "title": title})
    return found


def index(root: Path, lang: str) -> dict[str, list[dict[str, str]]]:
    body: dict[str, list[dict[str, str]]] = json.loads(
        (root / f"api/v1/search.{lang}.json").read_text(encoding="utf-8")
    )
    return body
