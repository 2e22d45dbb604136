"""The verifier sees the directory only: every way of spoiling a public tree must turn it red."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from khochung import release
from khochung.digest import sha256
from khochung.errors import GateError
from khochung.release import files, signing, tree, version
from khochung.release.verify import suspicious
from tests.toy_warehouse import Toy

V = "data/don-vi-thu/v/2025.9.0"


@pytest.fixture
def public(toy: Toy, tmp_path: Path) -> Path:
    """A copy of a released tree, apart from the releases that share its files."""
    toy.release()
    copy = tmp_path / "copy"
    shutil.copytree(toy.settings.public.resolve(), copy)
    return copy


def resum(toy: Toy, public: Path) -> None:
    """Make all checksums and signatures right again, so that only the deeper checks can see the damage."""
    key = signing.secret(toy.settings)
    release_id = json.loads((public / "api/v1/status.json").read_text(encoding="utf-8"))["release"]
    said = {folder: version.comment(folder.parent.parent.name, folder.name) for folder in public.glob("data/*/v/*")}
    said |= {folder: said[folder.parent / "v/2025.9.0"] for folder in public.glob("data/*/latest")}
    for folder, comment in (said | {public: tree.comment(release_id)}).items():
        sums = files.checksums(folder)
        (folder / "SHA256SUMS").write_bytes(sums)
        (folder / "SHA256SUMS.minisig").write_bytes(key.sign(sums, comment))


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(public: Path) -> None:
        text = (public / name).read_text(encoding="utf-8")
        assert old in text
        (public / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def drop_last(name: str, list_name: str) -> Callable[[Path], None]:
    def change(public: Path) -> None:
        content = json.loads((public / name).read_text(encoding="utf-8"))
        content[list_name].pop()
        (public / name).write_text(json.dumps(content), encoding="utf-8")

    return change


def test_a_copy_verifies_with_nothing_but_its_directory(public: Path) -> None:
    findings = release.verify(public)
    assert (findings.versions, findings.problems) == (2, [])
    data = 2 * 5 * (4 * 4 + 3 * 6)  # twice each version, in five formats
    assert findings.cells > data


def unlisted(public: Path) -> None:
    (public / "extra.txt").write_text("x")


def absent(public: Path) -> None:
    (public / V / "don-vi-thu.json").unlink()


def linked(public: Path) -> None:
    os.symlink("index.html", public / "other.html")


def odd(public: Path) -> None:
    (public / ".hidden").write_text("x")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (edit(f"{V}/don-vi-thu.csv", "1234.5", "1234.6"), r"SHA256SUMS: .*don-vi-thu\.csv"),
        (unlisted, r"extra\.txt is not listed"),
        (absent, r"don-vi-thu\.json is not as listed"),
        (linked, "only plain files"),
        (odd, "a file name has other characters"),
    ],
)
def test_changed_bytes_are_seen(public: Path, spoil: Callable[[Path], None], message: str) -> None:
    spoil(public)
    with pytest.raises(GateError, match=message):
        release.verify(public)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (edit(f"{V}/don-vi-thu.csv", "1234.5", "1234.6"), "another hash than datapackage"),
        (
            edit(f"{V}/quality.json", '"passed": true', '"passed": false'),
            "does not say that the version passed",
        ),
        (
            edit(f"{V}/datapackage.json", '"version": "2025.9.0"', '"version": "2025.9.1"'),
            "another dataset or version",
        ),
        (
            edit("data/don-vi-thu/versions.json", '"latest": "2025.9.0"', '"latest": "2025.8.0"'),
            "latest is 2025.8.0",
        ),
        (edit("data/don-vi-thu/latest/quality.json", "critical", "criticaL"), "latest/ does not hold"),
        (edit("lap-trinh/index.html", 'href="/data.json"', 'href="/data2.json"'), "/data2.json leads nowhere"),
        (edit("index.html", 'href="#content"', 'href="#contents"'), "#contents leads nowhere"),
        (edit("catalog.jsonld", "don-vi-thu.parquet", "don-vi-thu.orc"), "leads nowhere"),
        (edit("data.json", '"version": "2025.9.0"', '"version": "2025.9.1"'), "data.json: dan-so-thu: names another"),
        (drop_last("data.json", "dataset"), "do not list the same datasets"),
        (edit("index.html", "</main>", "080185001234</main>"), "12-digit number"),
        (edit("api/v1/status.json", '"as_of"', '"/home/someone/x"'), "machine path"),
        (edit(f"{V}/disclosure.json", '"none"', '"301234567"'), "9-digit number"),
    ],
)
def test_damage_under_right_checksums_is_seen(
    toy: Toy, public: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(public)
    resum(toy, public)
    with pytest.raises(GateError, match=message):
        release.verify(public)


def test_an_identifier_inside_a_parquet_file_is_seen(toy: Toy, public: Path) -> None:
    import pyarrow.parquet as pq

    path = public / V / "don-vi-thu.parquet"
    table = pq.read_table(path)
    column = table.column("unit_name").to_pylist()
    spoilt = table.set_column(1, "unit_name", [["0912345678", *column[1:]]])
    pq.write_table(spoilt, path)
    package = json.loads((public / V / "datapackage.json").read_text(encoding="utf-8"))
    entry = next(r for r in package["resources"] if r["path"].endswith("parquet"))
    entry |= {"bytes": path.stat().st_size, "hash": f"sha256:{sha256(path)}"}
    (public / V / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    shutil.rmtree(public / "data/don-vi-thu/latest")
    shutil.copytree(public / V, public / "data/don-vi-thu/latest")
    resum(toy, public)
    with pytest.raises(GateError, match=r"parquet: holds what looks like a telephone number"):
        release.verify(public)


def test_an_empty_tree_does_not_pass(tmp_path: Path) -> None:
    with pytest.raises(GateError):
        release.verify(tmp_path)
    with pytest.raises(GateError):
        release.verify(tmp_path / "absent")


@pytest.mark.parametrize(
    "text", ["080185001234", "id 301234567.", "0912345678", "0912.345.678", "+84912345678", "02723826543"]
)
def test_identifiers_are_suspicious(text: str) -> None:
    assert suspicious(text)


@pytest.mark.parametrize(
    "text",
    [
        "25510",
        "2025-09-30",
        "1682/NQ-UBTVQH15",
        "1.001193",
        "a" * 20 + "301234567" + "b" * 35,
        "0.25",
        "20250930",
        "H53.12",
    ],
)
def test_ordinary_texts_are_not(text: str) -> None:
    assert not suspicious(text)
