"""A public tree held against the published rules: DCAT-AP by its shapes, the EU's metadata quality score, Data Package,
frictionless and CSV on the Web, of every dataset that the catalogue names."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import frictionless
import jsonschema
import pyshacl
import rdflib
from csvw import CSVW

from khochung.release import csvw
from tests.release import mqa

RULES = Path(__file__).parent / "standards"
BASE = "https://dulieu.example.vn"


@cache
def shapes(name: str) -> rdflib.Graph:
    """Shapes of DCAT-AP 3.0.1, without what they would fetch."""
    rules = rdflib.Graph().parse(RULES / "dcat-ap-3.0.1" / f"{name}.ttl", format="turtle")
    rules.remove((None, rdflib.OWL.imports, None))
    return rules


def harvested(public: Path, name: str = "catalog.ttl") -> rdflib.Graph:
    """The catalogue as a harvester reads it; relative addresses are below `BASE`."""
    form = {"catalog.ttl": "turtle", "catalog.jsonld": "json-ld"}[name]
    return rdflib.Graph().parse(public / name, format=form, publicID=f"{BASE}/catalog.jsonld")


def against_the_shapes(public: Path, name: str = "catalog.ttl") -> list[str]:
    """What the shapes of DCAT-AP find, what is recommended included, but for what vocabularies say of their own terms."""
    graph = harvested(public, name).parse(RULES / "vocabulary.ttl", format="turtle")
    found = []
    for rules in ("shapes", "range", "dcat-ap-SHACL", "shapes_recommended"):
        conforms, report, text = pyshacl.validate(
            graph, shacl_graph=shapes(rules), inference="rdfs", do_owl_imports=False
        )
        about = [str(node) for node in report.objects(None, rdflib.SH.focusNode)]
        ours = [node for node in about if not node.startswith("http://publications.europa.eu/")]
        if not conforms and (rules != "shapes_recommended" or ours):
            found.append(f"{rules}: {text}")
    return found


def lost_points(public: Path, conforms: bool, served: Callable[[str], bool]) -> dict[str, dict[str, tuple[int, int]]]:
    """By dataset of the catalogue, the metrics of the EU's score of which it does not get all points.

    conforms: to DCAT-AP. served: whether an address answers with 200.
    """
    graph = harvested(public)
    scores = {str(node): mqa.score(graph, node, conforms, served) for node in mqa.datasets(graph)}
    assert all(sum(most for _, most in metrics.values()) == 405 for metrics in scores.values())
    return {node: {name: got for name, got in metrics.items() if got[0] < got[1]} for node, metrics in scores.items()}


def descriptions(public: Path) -> Iterator[tuple[str, list[str]]]:
    """Each dataset with what is wrong in its package, its data as the package describes them, and as CSVW does."""
    profile = jsonschema.Draft7Validator(json.loads((RULES / "datapackage-2.0.json").read_text(encoding="utf-8")))
    for folder in sorted(public.resolve().glob("data/*/latest")):
        slug = folder.parent.name
        package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        found = [error.message for error in profile.iter_errors(package)]
        for resource in frictionless.Package(str(folder / "datapackage.json")).resources:
            if resource.schema.fields:  # Parquet, gzip and GeoJSON are listed as plain files
                # frictionless counts no bytes of a JSON file; `verify` does.
                unseen = ["byte-count", "hash-count"] if resource.format == "json" else []
                report = resource.validate(frictionless.Checklist(skip_errors=unseen))
                found += [str(line) for line in report.flatten(["type", "note"])]
        described = CSVW(str(folder / csvw.name(slug)), validate=True)
        yield slug, found + ([] if described.is_valid else [str(warning) for warning in described.warnings])
