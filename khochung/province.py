"""The province that this installation serves: one file of `provinces/`, the only place that names it.

From 1/7/2025 a province is the union of its predecessors (Nghị quyết 202/2025/QH15), and so is its warehouse: it holds
their history under the code of the predecessor, and what came after under the code of the province. Which of them it is
is said by `KHOCHUNG_PROVINCE`, with the code of the province or of any predecessor: 93 asks for the Cần Thơ that Hậu
Giang has become a part of. Communes, districts, names and dates are not declared here: the source of administrative
units has them.
"""

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator

from khochung.errors import ConfigurationError
from khochung.settings import PROJECT, Settings
from khochung.strict import Strict, Text

VARIABLE = "KHOCHUNG_PROVINCE"
FOLDER = PROJECT / "provinces"
Code = Annotated[str, Field(pattern=r"^[0-9]{2}$")]


class Predecessor(Strict):
    """A province that ended on 30/6/2025.

    name: without its kind. agency_prefix: first part of the codes of its agencies until then (QĐ 20/2020/QĐ-TTg).
    meridian: central meridian of its cadastral maps, degrees and minutes (TT 973/2001/TT-TCĐC).
    """

    code: Code
    name: Text
    agency_prefix: Annotated[str, Field(pattern=r"^H[0-9]{2}$")]
    meridian: Annotated[str, Field(pattern=r"^10[2-9]-(00|15|30|45)$")]


class Province(Strict):
    """The province of today. name: with its kind; communes: how many its resolution forms; contact: of open data."""

    code: Code
    name: Text
    communes: int = Field(ge=1)
    legal_basis: Annotated[str, Field(min_length=1)]
    contact: Annotated[str, Field(min_length=1)]
    predecessors: tuple[Predecessor, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_code_twice(self) -> "Province":
        for field in ("code", "agency_prefix"):
            values = [getattr(one, field) for one in self.predecessors]
            if len(set(values)) != len(values):
                raise ValueError(f"two predecessors have one {field}")
        return self

    @property
    def codes(self) -> set[str]:
        """The codes that ask for it: its own and those of its predecessors."""
        return {self.code, *(one.code for one in self.predecessors)}

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What a declaration or a suite may ask for as `$name`, in place of a value."""
        former = {
            one.code: {"vi": f"{one.name.vi} (trước 1/7/2025)", "en": f"{one.name.en} (before 1/7/2025)"}
            for one in self.predecessors
        }
        return {
            "communes": self.communes,
            "former_provinces": former,
            "former_province_codes": list(former),
            "meridians": sorted({one.meridian for one in self.predecessors}),
            "contact": self.contact,
        }

    def for_dbt(self) -> str:
        """What the dbt project is told of it (macros/province.sql), as JSON."""
        return json.dumps(
            {
                "prefixes": {one.agency_prefix: one.code for one in self.predecessors},
                "meridians": self.parameters["meridians"],
            }
        )


def served() -> Province:
    """The province of this process: by `KHOCHUNG_PROVINCE`, else by the file `default`. Raises ConfigurationError."""
    return of(os.environ.get(VARIABLE) or (FOLDER / "default").read_text(encoding="utf-8").strip())


def of(code: str) -> Province:
    """The province that has the code, or a predecessor with it. Raises ConfigurationError naming those that are known."""
    found = [province for province in declared().values() if code in province.codes]
    if len(found) != 1:
        known = ", ".join(sorted(code for province in declared().values() for code in province.codes))
        raise ConfigurationError(
            f"{VARIABLE}={code}: {len(found)} files under provinces/ have this code; known: {known}"
        )
    return found[0]


@cache
def declared(folder: Path = FOLDER) -> dict[str, Province]:
    """Every declared province by code. Raises ConfigurationError for a file that is malformed or has another's name."""
    return {province.code: province for province in map(_read, sorted(folder.glob("*.yml")))}


def _read(path: Path) -> Province:
    try:
        province = Province.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(f"provinces/{path.name} is malformed; correct it: {error}") from error
    if path.stem != province.code:
        raise ConfigurationError(
            f"provinces/{path.name} says code {province.code}: its name must be {province.code}.yml"
        )
    return province


def filled(value: Any, province: Province, language: str = "vi") -> Any:
    """A declaration (JSON or YAML) with what the province gives: for `$name` as a whole value its parameter, and inside of
    a text `$province`, its name in the text's language, and `$communes`. Raises KeyError for other names."""
    if isinstance(value, dict):
        return {key: filled(item, province, key if key in ("vi", "en") else language) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, province, language) for item in value]
    if not isinstance(value, str):
        return value
    if asked := re.fullmatch(r"\$([a-z_]+)", value):
        return province.parameters[asked[1]]
    return value.replace("$province", getattr(province.name, language)).replace("$communes", str(province.communes))


def serve(settings: Settings, code: str | None) -> Province:
    """Serve a province from this home, for good. None: the one that the environment, the home or the default names.

    Raises ConfigurationError when the home holds the data of another one: two provinces never share a warehouse.
    """
    recall(settings)
    province, path = (of(code) if code else served()), _pinned(settings)
    held = path.read_text(encoding="utf-8").strip() if path.exists() else province.code
    if held != province.code:
        raise ConfigurationError(
            f"{settings.home} holds the data of province {held}, not of {province.code}: "
            "give the other province a KHOCHUNG_HOME of its own, or remove this one's state with `make clean`"
        )
    settings.home.mkdir(parents=True, exist_ok=True)
    path.write_text(province.code + "\n", encoding="utf-8")
    os.environ[VARIABLE] = province.code
    return province


def recall(settings: Settings) -> None:
    """Serve the province whose data this home holds, unless the environment names one."""
    path = _pinned(settings)
    if path.exists() and not os.environ.get(VARIABLE):
        os.environ[VARIABLE] = path.read_text(encoding="utf-8").strip()


def _pinned(settings: Settings) -> Path:
    return settings.home / "province"
