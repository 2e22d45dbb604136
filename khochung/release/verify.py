"""Checks a public tree with nothing but its directory: structure, checksums, links, and a search for identifiers.

Everything is checked before anything is reported, and a tree without a single dataset version does not pass.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from khochung.digest import sha256
from khochung.errors import GateError
from khochung.release import agree, files, trust
from khochung.release.signing import PublicKey
from khochung.release.versions import Version

# A personal number (12 digits), an old card or a social-insurance style number (9), a telephone in its usual spellings.
IDENTIFIERS: dict[str, re.Pattern[str]] = {
    "12-digit number": re.compile(r"(?<![0-9A-Za-z])[0-9]{12}(?![0-9A-Za-z])"),
    "9-digit number": re.compile(r"(?<![0-9A-Za-z])[0-9]{9}(?![0-9A-Za-z])"),
    "telephone number": re.compile(r"(?<![0-9A-Za-z.,])(?:\+?84|0)[ .-]?[235789](?:[ .-]?[0-9]){8,9}(?![0-9A-Za-z])"),
}
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|root|tmp|var|work|Users|opt|etc|srv|mnt)/[\w.-]+")
TEXTS = {".html", ".css", ".js", ".svg", ".xml", ".txt", ".atom", ".csv", ".ttl"}
JSONS = {".json", ".jsonld", ".geojson"}
BESIDE = ("datapackage.json", "quality.json", "disclosure.json", "diff.json", "provenance.json")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass
class Findings:
    """What a verification saw: figures for people, and problems, each with its place and the remedy."""

    files: int = 0
    bytes: int = 0
    versions: int = 0
    withdrawn: int = 0
    cells: int = 0
    problems: list[str] = field(default_factory=list)

    def note(self, place: str, problem: str) -> None:
        self.problems.append(f"{place}: {problem}")


def verify(public: Path, key: PublicKey | None = None) -> Findings:
    """Check the whole tree, or the folder of one version. Raises GateError with every problem; returns the figures.

    `key`: whose signature it must bear (default: the key that lies in the tree, which proves less).
    """
    findings = Findings()
    root = public.resolve()
    digests: dict[int, str] = {}
    paths = list(files.walk(root)) if root.is_dir() else []
    _plain_files(root, paths, findings)
    if not findings.problems and (root / "datapackage.json").is_file():
        _alone(root, paths, key, findings, digests)
    elif not findings.problems:
        _whole(root, paths, key, findings, digests)
    if findings.versions + findings.withdrawn == 0 and not findings.problems:
        findings.note("data/", "not one dataset version is in the tree")
    if findings.problems:
        shown = "\n".join(f"  {problem}" for problem in findings.problems[:50])
        raise GateError(f"the public tree has {len(findings.problems)} problems:\n{shown}")
    return findings


def _whole(root: Path, paths: list[Path], key: PublicKey | None, findings: Findings, digests: dict[int, str]) -> None:
    _sums(root, root, findings, digests)
    keys = trust.keys_of(root, key, findings.note)
    trust.check_folder(root, trust.root_key(root, key, findings.note), "khochung release:", findings.note, files.SUMS)
    for folder in sorted(root.glob("data/*/v/*")):
        if (folder / "tombstone.json").is_file():
            _tombstone(root, folder, findings)
            continue
        _version(root, folder, findings, digests)
        said = f"khochung dataset:{folder.parent.parent.name} version:{folder.name}"
        trust.check_folder(folder, keys, said, findings.note, folder.relative_to(root).as_posix())
    for index in sorted(root.glob("data/*/versions.json")):
        _index(root, index, findings)
    agree.check(root, findings.note)
    _links(root, paths, findings)
    _scan(root, paths, findings)


def _alone(root: Path, paths: list[Path], key: PublicKey | None, findings: Findings, digests: dict[int, str]) -> None:
    """One version, away from its tree: dataset and version are those that its description and its signature name."""
    if key is None:
        raise GateError("the folder of one version holds no public key: give the publisher's with --key")
    package = json.loads((root / "datapackage.json").read_text(encoding="utf-8"))
    _describes(root, ".", findings, digests)
    _sums(root, root, findings, digests)
    said = f"khochung dataset:{package.get('name')} version:{package.get('version')}"
    trust.check_folder(root, {key.key_id: key}, said, findings.note, files.SUMS)
    _scan(root, paths, findings)
    findings.versions = 1


def _tombstone(root: Path, folder: Path, findings: Findings) -> None:
    """Of a withdrawn version nothing is left but the word that it was one."""
    findings.withdrawn += 1
    left = sorted(path.name for path in folder.iterdir())
    if left != ["index.html", "tombstone.json"]:
        findings.note(folder.relative_to(root).as_posix(), f"was withdrawn, and still has {', '.join(left)}")


def _plain_files(root: Path, paths: list[Path], findings: Findings) -> None:
    for path in paths:
        place = path.relative_to(root).as_posix()
        if path.is_symlink() or not path.is_file():
            findings.note(place, "only plain files are published")
        elif not all(NAME.fullmatch(part) for part in Path(place).parts):
            findings.note(place, "a file name has other characters than letters, digits, dot, dash and underscore")
        else:
            findings.files += 1
            findings.bytes += path.stat().st_size


def _sums(root: Path, folder: Path, findings: Findings, digests: dict[int, str]) -> None:
    """SHA256SUMS of `folder` lists every file below it, and each digest is right."""
    sums = folder / "SHA256SUMS"
    place = sums.relative_to(root).as_posix()
    if not sums.is_file():
        findings.note(place, "missing")
        return
    listed = set(sums.read_text(encoding="utf-8").splitlines())
    actual = set(files.checksums(folder, digests).decode().splitlines())
    for line in sorted(listed ^ actual):
        problem = "is not as listed, or absent" if line in listed else "is not listed, or differs from the list"
        findings.note(place, f"{line[66:]} {problem}")


def _version(root: Path, folder: Path, findings: Findings, digests: dict[int, str]) -> None:
    place = folder.relative_to(root).as_posix()
    findings.versions += 1
    _sums(root, folder, findings, digests)
    _describes(folder, place, findings, digests)
    package_file = folder / "datapackage.json"
    if package_file.is_file():
        package = json.loads(package_file.read_text(encoding="utf-8"))
        if (package.get("name"), package.get("version")) != (folder.parent.parent.name, folder.name):
            findings.note(place, "datapackage.json is about another dataset or version")


def _describes(folder: Path, place: str, findings: Findings, digests: dict[int, str]) -> None:
    """What stands beside the data is there and fits it."""
    missing = [name for name in BESIDE if not (folder / name).is_file()]
    if missing:
        findings.note(place, f"{', '.join(missing)} missing")
        return
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for resource in package["resources"]:
        path = folder / resource["path"]
        if not path.is_file() or path.stat().st_size != resource["bytes"]:
            findings.note(place, f"{resource['path']} is missing or has another size than datapackage.json says")
        elif f"sha256:{digests.get(path.stat().st_ino) or sha256(path)}" != resource["hash"]:
            findings.note(place, f"{resource['path']} has another hash than datapackage.json says")
    if not json.loads((folder / "quality.json").read_text(encoding="utf-8")).get("passed"):
        findings.note(place, "quality.json does not say that the version passed")


def _index(root: Path, index: Path, findings: Findings) -> None:
    """versions.json, the version folders and `latest/` say the same."""
    content = json.loads(index.read_text(encoding="utf-8"))
    place = index.relative_to(root).as_posix()
    listed = [Version.parse(version["version"]) for version in content["versions"]]
    folders = {path.name for path in index.parent.glob("v/*")}
    if {str(version) for version in listed} != folders or listed != sorted(listed, reverse=True):
        findings.note(place, "does not list exactly the version folders, newest first")
    newest = next((version["version"] for version in content["versions"] if not version["withdrawn"]), None)
    if content["latest"] != newest:
        findings.note(place, f"latest is {content['latest']}; expected {newest}")
    if newest and not _same_folder(index.parent / "v" / newest, index.parent / "latest"):
        findings.note(place, "latest/ does not hold the files of the newest version")


def _same_folder(left: Path, right: Path) -> bool:
    names = {path.name for path in left.iterdir()}
    if not right.is_dir() or names != {path.name for path in right.iterdir()}:
        return False
    return all((left / n).samefile(right / n) or sha256(left / n) == sha256(right / n) for n in names)


class _Addresses(HTMLParser):
    """Collects the addresses and the anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.found.add(value)
            if name == "id" and value:
                self.anchors.add(value)


def _links(root: Path, paths: list[Path], findings: Findings) -> None:
    """Every internal address in the pages and in the catalogues leads to a file (and, in a page, to its anchor)."""
    for path in paths:
        place = path.relative_to(root).as_posix()
        if path.suffix == ".html":
            page = _Addresses()
            page.feed(path.read_text(encoding="utf-8"))
            for address in sorted(page.found):
                _resolve(root, path, address, page.anchors, place, findings)
        elif place in ("api/v1/catalog.json", "data.json", "catalog.jsonld"):
            content = json.loads(path.read_text(encoding="utf-8"))
            for address in sorted(set(_download_addresses(content))):
                _resolve(root, path, urlsplit(address).path, set(), place, findings)


def _download_addresses(value: Any) -> Iterator[str]:
    keys = ("url", "versions", "downloadURL", "dcat:downloadURL")
    if isinstance(value, dict):
        for key, inner in value.items():
            found = inner.get("@id") if isinstance(inner, dict) else inner
            if key in keys and isinstance(found, str):
                yield found
            yield from _download_addresses(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _download_addresses(inner)


def _resolve(root: Path, page: Path, address: str, anchors: set[str], place: str, findings: Findings) -> None:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return
    if not parts.path:
        if parts.fragment and parts.fragment not in anchors:
            findings.note(place, f"#{parts.fragment} leads nowhere on the page")
        return
    target = root / parts.path.lstrip("/") if parts.path.startswith("/") else page.parent / parts.path
    if parts.path.endswith("/"):
        target = target / "index.html"
    if not target.is_file():
        findings.note(place, f"{address} leads nowhere")


def _scan(root: Path, paths: list[Path], findings: Findings) -> None:
    """Search every text and every non-measure cell for identifiers; what is found is named, never repeated."""
    seen: set[int] = set()
    for path in paths:
        inode = path.stat().st_ino
        if inode in seen:
            continue
        seen.add(inode)
        place = path.relative_to(root).as_posix()
        for text in _texts(root, path, findings):
            for problem in suspicious(text):
                findings.note(place, f"holds what looks like a {problem}; refuse the release and mend the model")
                break


def suspicious(text: str) -> list[str]:
    """The kinds of identifier, or machine path, that `text` seems to hold."""
    found = [name for name, pattern in IDENTIFIERS.items() if pattern.search(text)]
    return found + (["machine path"] if MACHINE_PATH.search(text) else [])


def _texts(root: Path, path: Path, findings: Findings) -> Iterator[str]:
    _, _, suffix = path.name.partition(".")
    package_file = path.parent / "datapackage.json"
    if suffix in _COLUMNS and package_file.is_file() and _is_data(path, package_file):
        yield from _cells(path, package_file, suffix, findings)
    elif path.suffix in JSONS:
        yield from _strings(json.loads(path.read_text(encoding="utf-8")))
    elif path.suffix in TEXTS:
        yield path.read_text(encoding="utf-8")
    elif path.name == "SHA256SUMS":
        yield from (line[66:] for line in path.read_text(encoding="utf-8").splitlines())


def _is_data(path: Path, package_file: Path) -> bool:
    resources = json.loads(package_file.read_text(encoding="utf-8"))["resources"]
    return path.name in {resource["path"] for resource in resources}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _cells(path: Path, package_file: Path, suffix: str, findings: Findings) -> Iterator[str]:
    """The distinct cells of a data file, but for numeric measures, which may have any number of digits."""
    package = json.loads(package_file.read_text(encoding="utf-8"))
    fields = next(resource["schema"]["fields"] for resource in package["resources"] if "schema" in resource)
    numbers = {f["name"] for f in fields if f.get("role") == "measure" and f["type"] in ("integer", "number")}
    for name, values in _COLUMNS[suffix](path.read_bytes()):
        findings.cells += len(values)
        yield name
        if name not in numbers:
            # One search over a column's distinct cells: a line feed cannot join two cells into a number.
            yield "\n".join({str(value) for value in values if value is not None})


def _csv_columns(data: bytes) -> Iterator[tuple[str, list[Any]]]:
    import csv
    import io

    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    for place, name in enumerate(header):
        yield name, [row[place] for row in rows]


def _gzip_columns(data: bytes) -> Iterator[tuple[str, list[Any]]]:
    import gzip

    yield from _csv_columns(gzip.decompress(data))


def _json_columns(data: bytes) -> Iterator[tuple[str, list[Any]]]:
    records = json.loads(data)
    for name in sorted({name for record in records for name in record}):
        yield name, [record.get(name) for record in records]


def _parquet_columns(data: bytes) -> Iterator[tuple[str, list[Any]]]:
    import io

    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    for name in table.column_names:
        yield name, table.column(name).to_pylist()


def _xlsx_columns(data: bytes) -> Iterator[tuple[str, list[Any]]]:
    """The columns of the first sheet, then the texts of the others as columns without a name."""
    import io

    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    first, *others = book.worksheets
    header, *rows = first.iter_rows(values_only=True)
    for place, name in enumerate(header):
        yield str(name), [row[place] for row in rows]
    for sheet in others:
        yield sheet.title, [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    book.close()


_COLUMNS: dict[str, Callable[[bytes], Iterator[tuple[str, list[Any]]]]] = {
    "csv": _csv_columns,
    "csv.gz": _gzip_columns,
    "json": _json_columns,
    "xlsx": _xlsx_columns,
    "parquet": _parquet_columns,
}
