"""The descriptors against the published rules: DCAT-AP 3.0.1 (SHACL), Data Package 2.0 (JSON Schema), frictionless."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.toy_warehouse import Toy

VALIDATORS = Path(os.environ.get("KHOCHUNG_VALIDATORS", ""))
present = pytest.mark.skipif(
    not (VALIDATORS / "dcat-ap-3.0.1").is_dir(), reason="KHOCHUNG_VALIDATORS names no folder of validators"
)
# Terms in use beyond the vocabulary stub that comes with the shapes.
EXTRA = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix at: <http://publications.europa.eu/resource/authority/> .
<http://publications.europa.eu/resource/authority/data-theme> a skos:ConceptScheme ; dct:title "Data theme"@en .
<http://publications.europa.eu/resource/authority/data-theme/ENVI> a skos:Concept ; skos:prefLabel "Environment"@en .
<http://publications.europa.eu/resource/authority/data-theme/REGI> a skos:Concept ; skos:prefLabel "Regions"@en .
<http://publications.europa.eu/resource/authority/data-theme/ECON> a skos:Concept ; skos:prefLabel "Economy"@en .
<http://publications.europa.eu/resource/authority/data-theme/GOVE> a skos:Concept ; skos:prefLabel "Government"@en .
<http://publications.europa.eu/resource/authority/frequency/DAILY> a skos:Concept, dct:Frequency ; skos:prefLabel "daily"@en .
<http://publications.europa.eu/resource/authority/frequency/IRREG> a skos:Concept, dct:Frequency ; skos:prefLabel "irregular"@en .
<http://publications.europa.eu/resource/authority/language/ENG> a skos:Concept, dct:LinguisticSystem ; skos:prefLabel "English"@en .
<http://publications.europa.eu/resource/authority/file-type/JSON> a skos:Concept, dct:MediaTypeOrExtent ; skos:prefLabel "JSON"@en .
<http://publications.europa.eu/resource/authority/file-type/PARQUET> a skos:Concept, dct:MediaTypeOrExtent ; skos:prefLabel "Parquet"@en .
<https://www.iana.org/assignments/media-types/application/json> a dct:MediaType .
<https://www.iana.org/assignments/media-types/application/gzip> a dct:MediaType .
<https://www.iana.org/assignments/media-types/application/vnd.apache.parquet> a dct:MediaType .
<http://purl.org/adms/publishertype/RegionalAuthority> a skos:Concept ; skos:prefLabel "Regional authority"@en .
"""


@pytest.fixture
def released(toy: Toy) -> Path:
    toy.release()
    return toy.settings.public


@present
@pytest.mark.parametrize("base", ["", "https://dulieu.example.vn"])
@pytest.mark.parametrize("shapes", ["html_shacl_shapes", "html_shacl_range", "shacl_dcat-ap-SHACL"])
def test_the_catalogue_conforms_to_dcat_ap(toy: Toy, shapes: str, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rdflib, pyshacl = pytest.importorskip("rdflib"), pytest.importorskip("pyshacl")
    monkeypatch.setenv("KHOCHUNG_PUBLIC_URL", base)
    toy.release()
    graph = rdflib.Graph()
    graph.parse(
        toy.settings.public / "catalog.jsonld",
        format="json-ld",
        publicID="https://dulieu.example.vn/catalog.jsonld",
    )
    address = "https://dulieu.example.vn/data/don-vi-thu/v/2025.9.0/don-vi-thu.csv"
    assert (None, rdflib.URIRef("http://www.w3.org/ns/dcat#downloadURL"), rdflib.URIRef(address)) in graph
    graph.parse(VALIDATORS / "vocabulary-stub.ttl", format="turtle")
    graph.parse(data=EXTRA, format="turtle")
    rules = rdflib.Graph().parse(VALIDATORS / "dcat-ap-3.0.1" / f"{shapes}.ttl", format="turtle")
    rules.remove((None, rdflib.OWL.imports, None))
    conforms, _, report = pyshacl.validate(graph, shacl_graph=rules, inference="rdfs", do_owl_imports=False)
    assert conforms, report


@present
@pytest.mark.parametrize("slug", ["dan-so-thu", "don-vi-thu"])
def test_the_package_conforms_to_its_profile(released: Path, slug: str) -> None:
    jsonschema, referencing = pytest.importorskip("jsonschema"), pytest.importorskip("referencing")
    folder = VALIDATORS / "datapackage-2.0-profiles"
    profiles = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}

    def find(uri: str) -> Any:
        return referencing.Resource.from_contents(
            profiles[uri.rpartition("/")[2]], default_specification=referencing.jsonschema.DRAFT7
        )

    package = json.loads((released / "data" / slug / "latest/datapackage.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft7Validator(profiles["datapackage.json"], registry=referencing.Registry(retrieve=find))
    assert [error.message for error in validator.iter_errors(package)] == []


@pytest.mark.parametrize("slug", ["dan-so-thu", "don-vi-thu"])
def test_frictionless_reads_the_data_as_described(released: Path, slug: str) -> None:
    frictionless = pytest.importorskip("frictionless")
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
        assert {d["format"] for d in dataset["distribution"]} == {"CSV", "CSV (gzip)", "JSON", "Parquet"}


def test_each_distribution_leads_to_its_own_format(released: Path) -> None:
    content = json.loads((released / "catalog.jsonld").read_text(encoding="utf-8"))
    for dataset in content["dcat:dataset"]:
        names = [d["dcat:downloadURL"]["@id"].rpartition("/")[2] for d in dataset["dcat:distribution"]]
        slug = dataset["dct:identifier"]
        assert names == [f"{slug}.csv", f"{slug}.csv.gz", f"{slug}.json", f"{slug}.parquet"]
