"""The province that the stand-in plays: one folder of `data/`, named by its code."""

import csv
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
DEFAULT = (DATA / "default").read_text(encoding="utf-8").strip()


@dataclass(frozen=True)
class Part:
    """A province that ended on 30/6/2025. Numbers are at scale 1 and for 1/7/2023; `dossiers` is a daily rate beside
    that of the first part, `meridian` degrees and minutes."""

    code: str
    title: str
    agency_code: str
    population: int
    dossiers: float
    parcels: int
    enterprises: int
    enterprises_per_year: int
    tax_prefix: str
    card_prefix: str
    licence_prefix: str
    meridian: str

    @property
    def central_meridian(self) -> float:
        """Degrees."""
        degrees, minutes = self.meridian.split("-")
        return int(degrees) + int(minutes) / 60


@dataclass(frozen=True)
class Province:
    """What is played. `received` and `online`: dossiers of the first part from 1/1 to 14/3/2024."""

    code: str
    title: str
    agency_code: str
    received: int
    online: int
    household_businesses: int
    household_businesses_per_year: int
    parts: tuple[Part, ...]

    @property
    def codes(self) -> set[str]:
        """Its own code and those of its parts."""
        return {self.code, *(part.code for part in self.parts)}

    def rows(self, name: str) -> list[dict[str, str]]:
        """Rows of one of its reviewed CSV files."""
        with (DATA / self.code / name).open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))


@lru_cache(maxsize=4)
def load(code: str = DEFAULT) -> Province:
    """The province with the code, its own or that of a part. Raises ValueError for one that is not there."""
    for path in sorted(DATA.glob("*/province.toml")):
        province = _read(path)
        if code in province.codes:
            return province
    raise ValueError(f"province {code}: simulator/data has no folder for it")


def _read(path: Path) -> Province:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return Province(
        code=told["code"],
        title=told["title"],
        agency_code=told["agency_code"],
        received=told["dossiers"]["received"],
        online=told["dossiers"]["online"],
        household_businesses=told["household_businesses"]["before"],
        household_businesses_per_year=told["household_businesses"]["per_year"],
        parts=tuple(Part(**part) for part in told["parts"]),
    )
