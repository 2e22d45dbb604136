"""Version numbers: `YYYY.M.patch`, the month of the data and a counter inside it. Compared as numbers, never as text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from khochung.errors import GateError

_FORM = re.compile(r"(20[0-9]{2})\.([1-9]|1[0-2])\.(0|[1-9][0-9]*)")


@dataclass(frozen=True, order=True)
class Version:
    """A calendar version; `Version(2025, 9, 10)` comes after `Version(2025, 9, 9)`."""

    year: int
    month: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Raises GateError for anything but the canonical form: `2025.09.0` names no version."""
        match = _FORM.fullmatch(text)
        if not match:
            raise GateError(f"{text!r} is no version: expected YYYY.M.patch, for example 2025.9.0")
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.year}.{self.month}.{self.patch}"


def next_free(used: Iterable[Version], as_of: date) -> Version:
    """The first patch above every version ever used in the month of `as_of`: a withdrawn number never returns."""
    patches = [version.patch for version in used if (version.year, version.month) == (as_of.year, as_of.month)]
    return Version(as_of.year, as_of.month, max(patches, default=-1) + 1)
