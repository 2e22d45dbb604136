"""The descriptors against the published rules: DCAT-AP 3.0.1 (SHACL), Data Package 2.0, frictionless, CSV on the Web."""

import json
from pathlib import Path

import frictionless
import jsonschema
import pytest
import rdflib

from khochung.release import csvw
from tests.release import conformity
from tests.release.conformity import RULES
from tests.toy_warehouse import Toy

SLUGS = ["dan-so-thu", "don-vi-thu"]


@pytest.fixture
def released(toy: Toy) -> Path:
    toy.release()
    return toy.settings.public


@pytest.mark.parametrize("base", ["", "https://dulieu.example.vn"])
def test_the_catalogue_conforms_to_dcat_ap(toy: Toy, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recommended only warns in DCAT-AP; here it must hold as well, but for what vocabularies say of their terms."""
    monkeypatch.setenv("KHOCHUNG_PUBLIC_URL", base)
    toy.release()
    graph = conformity.harvested(toy.settings.public, "catalog.jsonld")
    address = "https://dulieu.example.vn/data/don-vi-thu/v/2025.9.0/don-vi-thu.csv"
    assert (None, rdflib.URIRef("http://www.w3.org/ns/dcat#downloadURL"), rdflib.URIRef(address)) in graph
    assert conformity.against_the_shapes(toy.settings.public, "catalog.jsonld") == []


@pytest.mark.parametrize("slug", SLUGS)
def test_the_package_conforms_to_its_profile(released: Path, slug: str) -> None:
    profile = json.loads((RULES / "datapackage-2.0.json").read_text(encoding="utf-8"))
    package = json.loads((released / "data" / slug / "latest/datapackage.json").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft7Validator(profile).iter_errors(package)] == []


@pytest.mark.parametrize("slug", SLUGS)
def test_the_data_are_as_csv_on_the_web_describes_them(released: Path, slug: str, tmp_path: Path) -> None:
    from csvw import CSVW

    folder = released.resolve() / "data" / slug / "latest"
    found = CSVW(str(folder / csvw.name(slug)), validate=True)
    assert found.is_valid, found.warnings
    rows = json.loads((folder / f"{slug}.json").read_text(encoding="utf-8"))
    assert len(list(found.tables[0])) == len(rows) > 0
    key = rows[0][found.tables[0].tableSchema.primaryKey[0]]
    for name in (f"{slug}.csv", csvw.name(slug)):
        (tmp_path / name).write_text((folder / name).read_text(encoding="utf-8"), encoding="utf-8")
    with (tmp_path / f"{slug}.csv").open("a", encoding="utf-8") as stream:
        stream.write(f"{key},oops,many,perhaps" + "," * (len(rows[0]) - 4) + "\n")
    assert not CSVW(str(tmp_path / csvw.name(slug)), validate=True).is_valid


@pytest.mark.parametrize("slug", SLUGS)
def test_frictionless_reads_the_data_as_described(released: Path, slug: str) -> None:
    package = frictionless.Package(str((released / "data" / slug / "latest/datapackage.json").resolve()))
    for resource in package.resources:
        if resource.schema.fields:  # Parquet and gzip are listed as plain files
            # frictionless counts no bytes of a JSON file; `verify` does.
            unseen = ["byte-count", "hash-count"] if resource.format == "json" else []
            report = resource.validate(frictionless.Checklist(skip_errors=unseen))
            assert report.valid, report.flatten(["type", "note"])
            assert report.tasks[0].stats["rows"] == package.custom["rows"]


def test_data_json_lists_what_is_downloadable(released: Path) -> None:
    content = json.loads((released / "data.json").read_text(encoding="utf-8"))
    required = {
        "title",
        "description",
        "keyword",
        "modified",
        "publisher",
        "contactPoint",
        "identifier",
        "accessLevel",
    }
    for dataset in content["dataset"]:
        assert required <= set(dataset)
        assert {d["format"] for d in dataset["distribution"]} == {
            "CSV",
            "CSV (gzip)",
            "JSON",
            "Excel (XLSX)",
            "Parquet",
        }


def test_each_distribution_leads_to_its_own_format(released: Path) -> None:
    content = json.loads((released / "catalog.jsonld").read_text(encoding="utf-8"))
    for dataset in content["dcat:dataset"]:
        names = [d["dcat:downloadURL"]["@id"].rpartition("/")[2] for d in dataset["dcat:distribution"]]
        slug = dataset["dct:identifier"]
        assert names == [f"{slug}.csv", f"{slug}.csv.gz", f"{slug}.json", f"{slug}.xlsx", f"{slug}.parquet"]
