"""CSV on the Web: the metadata of a CSV file, under the name at which readers look for it (W3C, 17 December 2015)."""

from datetime import date
from typing import Any

from khochung.contract import DatasetColumn
from khochung.release.content import Content, kind
from khochung.release.describe import OPEN

_TYPES = {
    "string": "string",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "integer": "integer",
    "number": "decimal",
}


def name(slug: str) -> str:
    """The file name: `<table>-metadata.json`, the standard location of section 5.3 of the Model."""
    return f"{slug}.csv-metadata.json"


def metadata(content: Content, as_of: date) -> dict[str, Any]:
    """The metadata of one version's CSV file."""
    dataset = content.dataset
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "vi"}],
        "url": f"{dataset.slug}.csv",
        "dc:title": dataset.title.vi,
        "dc:description": dataset.summary.vi,
        "dc:publisher": dataset.publisher.vi,
        "dc:license": {"@id": OPEN.uri},
        "dc:modified": {"@value": as_of.isoformat(), "@type": "xsd:date"},
        "dc:hasVersion": content.version,
        "dialect": {"encoding": "utf-8", "header": True, "lineTerminators": ["\n"], "commentPrefix": None},
        "tableSchema": {
            "columns": [_column(column) for column in dataset.columns],
            "primaryKey": list(dataset.key),
        },
    }


def _column(column: DatasetColumn) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": column.name,
        "titles": {"und": column.name, "vi": column.label.vi, "en": column.label.en},
        "datatype": _TYPES[kind(column).table_schema],
        "dc:description": [
            {"@value": column.description_vi, "@language": "vi"},
            {"@value": column.description, "@language": "en"},
        ],
        "null": [""],
    }
    return found | ({"required": True} if column.role == "key" else {})
