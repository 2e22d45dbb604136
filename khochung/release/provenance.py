"""Where a version comes from: the loads of its sources, the build, the code, and the verdicts that let it out."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from khochung import __version__, contract
from khochung.contract import Dataset
from khochung.errors import GateError
from khochung.gate.admission import Judged
from khochung.release.ledger import Connection
from khochung.settings import Settings

_BUILD = "select as_of, loads_until, code_sha256 from ops.build where build_id = %s"
_LOADS = """
    select distinct on (source_name, table_name)
        source_name, table_name, load_id, as_of, extracted_at, landing_sha256
    from ops.load where load_id <= %s order by source_name, table_name, load_id desc
"""


def document(
    settings: Settings, connection: Connection, dataset: Dataset, version: str, as_of: date, build_id: int,
    judged: tuple[Judged, ...], approval_id: int | None, source_approvals: tuple[int, ...],
) -> dict[str, Any]:  # fmt: skip
    """`provenance.json` of a version. Raises GateError when the build is unknown."""
    build = connection.execute(_BUILD, [build_id]).fetchone()
    if build is None:
        raise GateError(f"there is no build {build_id}: run the warehouse DAG first")
    models, relations = _lineage(settings, dataset.model)
    loads = connection.execute(_LOADS, [build[1]]).fetchall()
    return {
        "dataset": dataset.slug,
        "version": version,
        "as_of": as_of.isoformat(),
        "build": {"id": build_id, "as_of": build[0].isoformat(), "loads_until": build[1]},
        "code": {"name": "khochung", "version": __version__, "sha256": build[2]},
        "verdicts": [
            {"id": one.verdict.verdict_id, "suite": one.verdict.subject, "suite_sha256": one.verdict.suite_sha256}
            for one in judged
        ],
        "approval": approval_id,
        "source_approvals": list(source_approvals),
        "sources": [_load(row) for row in loads if relations is None or f"{row[0]}__{row[1]}" in relations],
        "models": models,
    }


def _load(row: tuple[Any, ...]) -> dict[str, Any]:
    """Without the number of rows: of a register of people it would be a count without noise, version by version."""
    source, table, load_id, as_of, extracted_at, landing_sha256 = row
    declared = contract.sources().get(source)
    return {
        "source": source,
        "table": table,
        "title": declared.title_vi if declared else source,
        "owner": declared.owner_agency if declared else None,
        "load": load_id,
        "as_of": as_of.isoformat(),
        "extracted_at": extracted_at.isoformat(timespec="seconds"),
        "landed_sha256": landing_sha256,
    }


def _lineage(settings: Settings, model: str) -> tuple[list[str], set[str] | None]:
    """The models that a dataset is made by, and the raw tables that it is made from, by dbt's manifest of the last layer.

    Without a manifest (None) every table counts as a source.
    """
    path = settings.artefacts / "dbt" / "open_data" / "manifest.json"
    if not path.is_file():
        return [], None
    manifest = json.loads(path.read_text(encoding="utf-8"))
    nodes = {node["name"]: key for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    above = _ancestors(manifest["parent_map"], nodes[model]) if model in nodes else set()
    models = sorted(name for name, key in nodes.items() if key in above)
    return models, {manifest["sources"][key]["identifier"] for key in above if key in manifest["sources"]}


def _ancestors(parents: dict[str, list[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting: Iterable[str] = [start]
    while waiting:
        waiting = {parent for node in waiting for parent in parents.get(node, ())} - found
        found |= set(waiting)
    return found
