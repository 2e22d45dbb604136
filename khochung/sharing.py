"""What agencies of the province share with each other: models under `marts/sharing`, each with its contract.

A contract says on what legal basis and for what purpose, who provides, and which agencies may read; row policies keep
every agency to its own rows and write down each reading (`ops.access_log`). Sharing is denied unless declared.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from khochung.contract import DBT_PROJECT, LOADER, Identifier
from khochung.errors import ContractError
from khochung.strict import Strict, Text

FOLDER = DBT_PROJECT / "models" / "marts" / "sharing"
Account = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class SharedColumn(Strict):
    """A column of a shared model."""

    name: Identifier
    data_type: str
    description: Annotated[str, Field(min_length=1)]


class Shared(Strict):
    """A shared model. agencies: the accounts that may read it (seed `agency_account`), or all; rows: the expression that names
    the agency of a row; delivered_as: the view that the LGSP reads."""

    model: Identifier
    description: Annotated[str, Field(min_length=1)]
    title: Text
    provider: Annotated[str, Field(min_length=1)]
    legal_basis: Annotated[str, Field(min_length=1)]
    purpose: Text
    agencies: Literal["all"] | Annotated[tuple[Account, ...], Field(min_length=1)]
    rows: Annotated[tuple[str, ...], Field(min_length=1)]
    delivered_as: Identifier
    columns: tuple[SharedColumn, ...] = Field(min_length=1)


@cache
def declared(folder: Path = FOLDER) -> dict[str, Shared]:
    """Every shared model by name. Raises ContractError for a table without a contract, or a contract that is malformed."""
    found: dict[str, Shared] = {}
    models: set[str] = set()
    for path in sorted(folder.glob("*.yml")):
        for entry in (yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER) or {}).get("models") or []:  # noqa: S506
            models.add(entry["name"])
            meta = (entry.get("config") or {}).get("meta") or {}
            if "sharing" in meta:
                found[entry["name"]] = _shared(entry, meta, path.name)
    views = {shared.delivered_as for shared in found.values()}
    if missing := sorted(models ^ (found.keys() | views)):
        raise ContractError(
            f"{', '.join(missing)}: every model of marts/sharing has a contract (config.meta.sharing) or is the view that one "
            "names in `delivered_as`, and every such view is there"
        )
    return found


def _shared(entry: dict[str, Any], meta: dict[str, Any], file: str) -> Shared:
    rows = (meta.get("own_rows") or {}).get("agency_code") or ()
    columns = [
        {key: column[key] for key in ("name", "data_type", "description") if key in column}
        for column in entry.get("columns") or ()
    ]
    named = {"model": entry["name"], "description": entry.get("description"), "columns": columns, "rows": rows}
    try:
        return Shared.model_validate({**meta["sharing"], **named})
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ContractError(f"{file}: sharing of {entry['name']} is malformed: {lines}") from error
