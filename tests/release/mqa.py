"""The EU's Metadata Quality Assessment (data.europa.eu, methodology of 2023): 23 metrics, 405 points for a dataset.

Reads the catalogue as a harvester does, from its Turtle, and asks `served` whether an address answers with 200. Of the
distributions the best one counts, metric by metric as the portal does it.
"""

from collections.abc import Callable
from typing import Any

import rdflib
from rdflib import DCAT, DCTERMS, RDF

EU = "http://publications.europa.eu/resource/authority"
IANA = "https://www.iana.org/assignments/media-types/"
OPEN_FORMATS = {"CSV", "JSON", "GEOJSON", "XML", "RDF_TURTLE", "ODS"}
MACHINE_READABLE = OPEN_FORMATS | {"XLSX", "XLS"}
Node = Any


def score(
    graph: rdflib.Graph, dataset: Node, conforms: bool, served: Callable[[str], bool]
) -> dict[str, tuple[int, int]]:
    """Metric -> (points, of at most)."""
    files = list(graph.objects(dataset, DCAT.distribution))

    def has(node: Node, *properties: Node) -> bool:
        return any(graph.value(node, one) is not None for one in properties)

    def best(test: Callable[[Node], bool]) -> bool:
        return any(test(file) for file in files)

    def code(file: Node) -> str:
        value = str(graph.value(file, DCTERMS.format) or "")
        return value.removeprefix(f"{EU}/file-type/") if value.startswith(f"{EU}/file-type/") else ""

    def answers(file: Node, what: Node) -> bool:
        address = graph.value(file, what)
        return address is not None and served(str(address))

    def known_types(file: Node) -> bool:
        return bool(code(file)) and str(graph.value(file, DCAT.mediaType) or "").startswith(IANA)

    access = str(graph.value(dataset, DCTERMS.accessRights) or "")
    metrics = {
        "keyword": (has(dataset, DCAT.keyword), 30),
        "theme": (has(dataset, DCAT.theme), 30),
        "spatial": (has(dataset, DCTERMS.spatial), 20),
        "temporal": (has(dataset, DCTERMS.temporal), 20),
        "accessURL answers": (best(lambda file: answers(file, DCAT.accessURL)), 50),
        "downloadURL": (best(lambda file: has(file, DCAT.downloadURL)), 20),
        "downloadURL answers": (best(lambda file: answers(file, DCAT.downloadURL)), 30),
        "format": (best(lambda file: has(file, DCTERMS.format)), 20),
        "mediaType": (best(lambda file: has(file, DCAT.mediaType)), 10),
        "format and mediaType of a vocabulary": (best(known_types), 10),
        "non-proprietary": (best(lambda file: code(file) in OPEN_FORMATS), 20),
        "machine-readable": (best(lambda file: code(file) in MACHINE_READABLE), 20),
        "DCAT-AP": (conforms, 30),
        "licence": (best(lambda file: has(file, DCTERMS.license)), 20),
        "licence of a vocabulary": (
            best(lambda file: str(graph.value(file, DCTERMS.license) or "").startswith(f"{EU}/licence/")),
            10,
        ),
        "accessRights": (bool(access), 10),
        "accessRights of a vocabulary": (access.startswith(f"{EU}/access-right/"), 5),
        "contactPoint": (has(dataset, DCAT.contactPoint), 20),
        "publisher": (has(dataset, DCTERMS.publisher), 10),
        "rights": (best(lambda file: has(file, DCTERMS.rights)), 5),
        "byteSize": (best(lambda file: has(file, DCAT.byteSize)), 5),
        "issued": (has(dataset, DCTERMS.issued), 5),
        "modified": (has(dataset, DCTERMS.modified), 5),
    }
    return {name: (points if met else 0, points) for name, (met, points) in metrics.items()}


def datasets(graph: rdflib.Graph) -> list[Node]:
    return list(graph.subjects(RDF.type, DCAT.Dataset))
