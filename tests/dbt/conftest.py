"""One server, one build of the dbt project over the hand-made province, shared by the tests."""

from collections.abc import Callable, Iterator
from typing import Any

import dbt_fixture
import pytest

from khochung import warehouse
from khochung.settings import Settings
from tests.toy_warehouse import running

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse built from the fixtures, unit tests and data tests included."""
    with running(Settings(tmp_path_factory.mktemp("dbt"))) as settings:
        dbt_fixture.fill(settings)
        assert dbt_fixture.run(settings, "build") == 0, "dbt build failed: see the output above"
        yield settings


@pytest.fixture
def query(built: Settings) -> Query:
    """Runs SQL as a role of the warehouse; the transformer unless told otherwise."""

    def ask(statement: str, role: warehouse.Role = "transformer") -> list[tuple[Any, ...]]:
        with warehouse.connect(built, role) as connection:
            return connection.execute(statement).fetchall()

    return ask
