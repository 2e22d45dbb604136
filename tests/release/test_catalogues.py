"""Every catalogue comes from one, and says the same: JSON-LD, Turtle, data.json, the API, schema.org, the feeds."""

import json
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as xml

import pytest
import rdflib
import rdflib.compare
from rdflib import DCAT, DCTERMS
from starlette.testclient import TestClient

from khochung import release
from khochung.contract import Upcoming
from khochung.portal.serve import application
from khochung.release import schema_org
from khochung.release.catalogue import Checks, Entry, Site
from khochung.release.tree import indexes
from khochung.release.withdraw import withdraw
from khochung.strict import Text
from tests.release import mqa
from tests.release.conformity import against_the_shapes, lost_points
from tests.toy_warehouse import Toy

SLUG, BASE = "dan-so-thu", "https://dulieu.example.vn"
ATOM = "{http://www.w3.org/2005/Atom}"
NOTE = Text(vi="Cột này sẽ bỏ.", en="This column will go.")


@pytest.fixture
def toy_with_history(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """Two versions of one dataset, of which the newer is withdrawn, and an announcement."""
    monkeypatch.setenv("KHOCHUNG_PUBLIC_URL", BASE)
    toy.release()
    toy.sql("insert into open_data.toy_residents values ('27694', '1', 99, false)")
    upcoming = Upcoming(columns=("residents_suppressed",), note=NOTE)
    toy.datasets[SLUG] = toy.datasets[SLUG].model_copy(update={"upcoming": upcoming})
    toy.release()
    withdraw(toy.settings, SLUG, "2025.9.1", NOTE, datasets=toy.datasets, on=toy.release().as_of)
    return toy


def read(public: Path, name: str) -> rdflib.Graph:
    form = {"catalog.ttl": "turtle", "catalog.jsonld": "json-ld"}[name]
    return rdflib.Graph().parse(public / name, format=form, publicID=f"{BASE}/catalog.jsonld")


def test_all_catalogues_agree(toy_with_history: Toy) -> None:
    public = toy_with_history.settings.public
    graph = read(public, "catalog.ttl")
    assert rdflib.compare.isomorphic(graph, read(public, "catalog.jsonld"))
    assert len(graph) > 100
    wanted = {
        slug: (versions[0].version, {f.sha256 for f in versions[0].data_files})
        for slug, versions in ((s, [v for v in all_ if not v.withdrawn]) for s, (all_, _) in indexes(public).items())
    }
    checksum = rdflib.URIRef("http://spdx.org/rdf/terms#checksum")
    value = rdflib.URIRef("http://spdx.org/rdf/terms#checksumValue")
    dcat = {
        str(graph.value(d, DCTERMS.identifier)): (
            str(graph.value(d, DCAT.version)),
            {str(graph.value(graph.value(f, checksum), value)).lower() for f in graph.objects(d, DCAT.distribution)},
        )
        for d in mqa.datasets(graph)
    }
    assert dcat == wanted
    listed = json.loads((public / "api/v1/catalog.json").read_text(encoding="utf-8"))["datasets"]
    assert {d["slug"]: (d["version"], {f["sha256"] for f in d["files"] if f["format"]}) for d in listed} == wanted
    for slug, (version, _) in wanted.items():
        one = json.loads((public / f"api/v1/datasets/{slug}.json").read_text(encoding="utf-8"))
        assert (one["slug"], one["version"]) == (slug, version)
        assert [c["name"] for c in one["columns"]] == [c.name for c in toy_with_history.datasets[slug].columns]
    assert release.verify(public).problems == []


def test_what_search_engines_are_told_is_what_the_catalogue_says(toy_with_history: Toy) -> None:
    toy, served = (
        toy_with_history,
        json.loads((toy_with_history.settings.public / "data.json").read_text(encoding="utf-8")),
    )
    facts = indexes(toy.settings.public)
    entries = tuple(
        Entry(d, tuple(v for v in facts[slug][0] if not v.withdrawn), None, Checks(1, 0, True))
        for slug, d in toy.datasets.items()
    )
    from khochung import province

    site = Site("2025-09-30.1", toy.release().as_of, 1, BASE, None, entries, province.served())
    listed = {item["identifier"]: item for item in served["dataset"]}
    assert {item["@id"] for item in schema_org.catalogue(site)["dataset"]} == set(listed)
    for entry in entries:
        told = schema_org.dataset(site, entry)
        item = listed[told["@id"]]
        assert (told["version"], told["dateModified"]) == (item["version"], item["modified"])
        assert [d["contentUrl"] for d in told["distribution"]] == [d["downloadURL"] for d in item["distribution"]]
        assert all(told[name] for name in ("name", "description", "license", "creator", "temporalCoverage"))


def test_the_feeds_are_atom_and_tell_versions_withdrawals_and_what_is_to_come(toy_with_history: Toy) -> None:
    public = toy_with_history.settings.public
    of_site, of_one = (xml.parse(public / name).getroot() for name in ("feed.atom", f"data/{SLUG}/feed.atom"))
    for feed in (of_site, of_one):
        assert feed.tag == f"{ATOM}feed"
        for node in (feed, *feed.iter(f"{ATOM}entry")):
            # RFC 4287, 4.1.1 and 4.1.2: exactly one of each.
            assert [len(node.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")] == [1, 1, 1]
            assert datetime.fromisoformat(node.findtext(f"{ATOM}updated") or "").tzinfo is not None
            assert (node.findtext(f"{ATOM}id") or "").startswith("urn:uuid:")
        ids = [node.text for node in feed.iter(f"{ATOM}id")]
        assert len(ids) == len(set(ids))
        assert feed.findtext(f"{ATOM}author/{ATOM}name")
        for link in feed.iter(f"{ATOM}link"):
            path = urlsplit(link.attrib["href"]).path
            assert (public / path.lstrip("/")).is_file(), path
    titles = [node.text or "" for node in of_one.iter(f"{ATOM}title")][1:]
    assert sorted(title.partition(" / ")[2] for title in titles) == [
        "To change: Toy residents by commune (residents_suppressed)",
        "Toy residents by commune: version 2025.9.0",
        "Toy residents by commune: version 2025.9.1",
        "Withdrawn: Toy residents by commune 2025.9.1",
    ]
    assert len(of_site.findall(f"{ATOM}entry")) == len(titles) + 1


def test_every_dataset_has_all_points_of_the_metadata_assessment(toy_with_history: Toy) -> None:
    public = toy_with_history.settings.public
    graph = read(public, "catalog.ttl")
    with TestClient(application(public)) as client:

        def served(address: str) -> bool:
            return address.startswith(BASE) and client.head(urlsplit(address).path).status_code == 200

        lost = lost_points(public, against_the_shapes(public) == [], served)
        assert list(lost.values()) == [{}, {}], lost
        # The scorer is alive: what is missing costs what the methodology says.
        node = mqa.datasets(graph)[0]
        graph.remove((node, DCTERMS.temporal, None))
        graph.remove((None, DCTERMS.license, None))
        poorer = mqa.score(graph, node, False, lambda _: False)
        assert sum(got for got, _ in poorer.values()) == 405 - 20 - 30 - 30 - 80
