"""The communes of the portal, from two published datasets: the units through time, and what became of each.

`data/places.json` names the two and their columns. Where they are not published, there are no commune pages.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files

from khochung.portal.table import Table
from khochung.portal.vietnamese import sort_key


@dataclass(frozen=True)
class Part:
    """A former unit that a present commune took in. `people`: the share of its people that came; 1 is all of it."""

    code: str
    name: str
    district: str | None
    people: Decimal | None
    land: Decimal | None


@dataclass(frozen=True)
class Commune:
    """A present commune. `point`: longitude and latitude of a point inside it, where the register gives one."""

    code: str
    name: str
    since: str
    legal_basis: str | None
    parts: tuple[Part, ...]
    point: tuple[float, float] | None

    @property
    def bare_name(self) -> str:
        """The name without its kind, by which dictionaries sort: `Tân Trụ` for `Xã Tân Trụ`."""
        return bare(self.name)

    def inputs(self) -> list[object]:
        """All that a page could show of it, as JSON."""
        parts = [[p.code, p.name, p.district, str(p.people), str(p.land)] for p in self.parts]
        return [self.code, self.name, self.since, self.legal_basis, parts, self.point]


def bare(name: str) -> str:
    for kind in KINDS:
        if name.startswith(kind) and not name.removeprefix(kind)[:1].isdigit():
            return name.removeprefix(kind)
    return name


KINDS = ("Xã ", "Phường ", "Thị trấn ", "Đặc khu ")
_COLUMNS: Mapping[str, str] = json.loads((files("khochung.portal") / "data" / "places.json").read_bytes())
UNITS, CROSSWALK = _COLUMNS["units"], _COLUMNS["crosswalk"]
LEVEL = _COLUMNS["commune_level"]
COMMUNE = "commune_code"


def communes(units: Table | None, crosswalk: Table | None) -> tuple[Commune, ...]:
    """The present communes in the order of the Vietnamese dictionary; empty when the units are not published."""
    if units is None:
        return ()
    parts = _parts(crosswalk) if crosswalk else {}
    at = units.place
    found = [
        Commune(
            code=row[at["unit_code"]] or "",
            name=row[at["unit_name"]] or "",
            since=row[at["valid_from"]] or "",
            legal_basis=row[at["legal_basis"]],
            parts=parts.get(row[at["unit_code"]] or "", ()),
            point=_point(row[at["longitude"]], row[at["latitude"]]),
        )
        for row in units.rows
        if row[at["level_code"]] == LEVEL and row[at["is_present"]] == "true"
    ]
    return tuple(sorted(found, key=lambda commune: (sort_key(commune.bare_name), commune.code)))


def _point(longitude: str | None, latitude: str | None) -> tuple[float, float] | None:
    return (float(longitude), float(latitude)) if longitude and latitude else None


def _parts(crosswalk: Table) -> dict[str, tuple[Part, ...]]:
    """By present commune: what it was made of, the units that were in force last."""
    at = crosswalk.place
    last = max((row[at["old_valid_to"]] or "" for row in crosswalk.rows), default="")
    found: dict[str, list[Part]] = {}
    for row in crosswalk.rows:
        if (row[at["old_valid_to"]] or "") == last:
            part = Part(
                row[at["old_code"]] or "",
                row[at["old_name"]] or "",
                row[at["old_district_name"]],
                _share(row[at["weight_population"]]),
                _share(row[at["weight_area"]]),
            )
            found.setdefault(row[at["new_code"]] or "", []).append(part)
    return {code: tuple(sorted(parts, key=lambda p: (sort_key(bare(p.name)), p.code))) for code, parts in found.items()}


def _share(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None


def former_names(crosswalk: Table | None) -> dict[str, list[str]]:
    """By present commune: every name that a part of it has ever had, for search."""
    found: dict[str, list[str]] = {}
    if crosswalk:
        at = crosswalk.place
        for row in crosswalk.rows:
            names = found.setdefault(row[at["new_code"]] or "", [])
            label = f"{row[at['old_name']]} ({row[at['old_district_name']]})"
            if label not in names:
                names.append(label)
    return found
