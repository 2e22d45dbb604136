from tests.toy_warehouse import server, toy

__all__ = ["server", "toy"]
