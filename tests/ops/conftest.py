"""One server for the tests of what looks after the system."""

from tests.toy_warehouse import server, toy

__all__ = ["server", "toy"]
