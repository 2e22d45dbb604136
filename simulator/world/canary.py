"""A person like no other, planted among the people so that a test can look for her in every published byte.

Nobody else is so old or has any of her names. Whatever counts her alone, or names her, gives itself away.
"""

from typing import NamedTuple

from simulator import columns as c
from simulator import names

ROW = 0
BIRTH = c.day_number("1913-06-15")
FEMALE = 2


class Name(NamedTuple):
    """Indices into the lists of names; theirs have no weight there, so nobody else draws them."""

    surname: int
    middle: int
    given: int


def name() -> Name:
    """Khướu Bạc Má Vàng Anh."""
    listed = names.load()
    return Name(listed.surname.index("Khướu"), listed.middle.index("Bạc Má"), listed.given.index("Vàng Anh"))
