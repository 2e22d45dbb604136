"""schema.org for search engines: the JSON-LD objects that pages embed, from the same entries as every catalogue."""

from typing import Any

from khochung.contract import Dataset
from khochung.release.catalogue import CATALOGUE_SUMMARY, Entry, Site, distributions
from khochung.release.describe import OPEN
from khochung.strict import Text


def catalogue(site: Site) -> dict[str, Any]:
    """A `DataCatalog` of the site, with its datasets by address."""
    return {
        "@context": "https://schema.org/",
        "@type": "DataCatalog",
        "@id": site.url("/catalog.jsonld#catalog"),
        "name": _texts(site.title),
        "description": _texts(CATALOGUE_SUMMARY),
        "url": site.url("/index.html"),
        "license": OPEN.uri,
        "dataset": [{"@id": site.url(f"/data/{entry.dataset.slug}/")} for entry in site.entries if entry.latest],
    }


def dataset(site: Site, entry: Entry) -> dict[str, Any]:
    """A `Dataset` with what Google's guide requires and recommends. Of one that was never released, without downloads."""
    declared, latest = entry.dataset, entry.latest
    body = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": site.url(f"/data/{declared.slug}/"),
        "identifier": declared.slug,
        "name": _texts(declared.title),
        "description": _texts(declared.summary),
        "keywords": [keyword.vi for keyword in declared.keywords] + [keyword.en for keyword in declared.keywords],
        "license": OPEN.uri,
        "isAccessibleForFree": True,
        "inLanguage": ["vi", "en"],
        "creator": _organisation(declared),
        "publisher": _organisation(declared),
        "includedInDataCatalog": {"@type": "DataCatalog", "@id": site.url("/catalog.jsonld#catalog")},
        "spatialCoverage": {"@type": "Place", "name": site.province.name.vi},
        "variableMeasured": [
            {"@type": "PropertyValue", "name": c.name, "description": c.description}
            | ({"unitText": c.unit} if c.unit else {})
            for c in declared.columns
            if c.role == "measure"
        ],
    }
    if latest is None:
        return body
    return body | {
        "version": latest.version,
        "datePublished": entry.versions[-1].released.isoformat(),
        "dateModified": latest.released.isoformat(),
        "temporalCoverage": f"{latest.covers_from.isoformat()}/{latest.released.isoformat()}",
        "distribution": [
            {
                "@type": "DataDownload",
                "name": form.label,
                "encodingFormat": fact.media_type,
                "contentUrl": site.url(f"/data/{declared.slug}/v/{latest.version}/{fact.name}"),
                "contentSize": f"{fact.bytes} B",
                "sha256": fact.sha256,
            }
            for form, fact in distributions(latest)
        ],
    }


def _organisation(declared: Dataset) -> dict[str, Any]:
    return {"@type": "GovernmentOrganization", "name": declared.publisher.vi, "alternateName": declared.publisher.en}


def _texts(text: Text) -> list[dict[str, str]]:
    return [{"@language": "vi", "@value": text.vi}, {"@language": "en", "@value": text.en}]
