"""Names of generated people: index arrays into weighted lists of surnames, middle and given names."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulator.columns import Bools, Column, Ints, join, take, texts, weighted
from simulator.units import read

STREETS = (
    "Nguyễn Huệ", "Trương Định", "Nguyễn Trung Trực", "Hùng Vương", "Cách Mạng Tháng Tám", "Trần Hưng Đạo",
    "Lê Lợi", "30 Tháng 4", "Võ Văn Tần", "Nguyễn Đình Chiểu", "Châu Văn Liêm", "Phan Đình Phùng",
)  # fmt: skip
DETAILS = texts(
    [f"Số {n}, ấp {a}" for n in range(1, 400) for a in range(1, 9)]
    + [f"Số {n}/{n % 37 + 1} đường {s}, khu phố {n % 7 + 1}" for n in range(1, 300) for s in STREETS]
)
"""House and street; 6,780 different ones."""


@dataclass(frozen=True)
class NameList:
    """Values with weights; given and middle names per sex (1 male, 2 female)."""

    surname: list[str]
    surname_weight: list[float]
    middle: list[str]
    given: list[str]
    middle_of: dict[int, tuple[Ints, list[float]]]
    given_of: dict[int, tuple[Ints, list[float]]]

    def decomposable(self) -> Bools:
        """Surnames that look different in Unicode normal form D."""
        return np.array([unicodedata.normalize("NFD", s) != s for s in self.surname])

    def with_stroke(self) -> Bools:
        """Surnames with the letter Đ."""
        return np.array(["Đ" in s for s in self.surname])


@lru_cache(maxsize=1)
def load() -> NameList:
    """The lists of simulator/data/names.csv."""
    rows = read("names.csv")

    def kind(name: str) -> list[dict[str, str]]:
        return [r for r in rows if r["loai"] == name]

    def by_sex(name: str) -> dict[int, tuple[Ints, list[float]]]:
        listed = kind(name)
        picked = {s: [i for i, r in enumerate(listed) if r["gioi"] == str(s)] for s in (1, 2)}
        return {s: (np.array(i), [float(listed[j]["trong_so"]) for j in i]) for s, i in picked.items()}

    return NameList(
        [r["gia_tri"] for r in kind("ho")],
        [float(r["trong_so"]) for r in kind("ho")],
        [r["gia_tri"] for r in kind("dem")],
        [r["gia_tri"] for r in kind("ten")],
        by_sex("dem"),
        by_sex("ten"),
    )


def draw_by_sex(rng: np.random.Generator, of: dict[int, tuple[Ints, list[float]]], sex: Ints) -> Ints:
    """Indices of a middle or given name that suits the sex."""
    male = of[1][0][weighted(rng, of[1][1], len(sex))]
    female = of[2][0][weighted(rng, of[2][1], len(sex))]
    return np.where(sex == 1, male, female)


def full_name(surname: Ints, middle: Ints, given: Ints) -> Column:
    """Full names as a column."""
    listed = load()
    return join(take(listed.surname, surname), " ", take(listed.middle, middle), " ", take(listed.given, given))
