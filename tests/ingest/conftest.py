"""One server for the tests of ingestion."""

from collections.abc import Iterator

import pytest

from khochung import load, postgres, warehouse
from khochung.settings import Settings
from tests.ingest.toy_source import Lab
from tests.toy_warehouse import server

__all__ = ["server"]


@pytest.fixture(scope="session")
def laboratory(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The laboratory with its tables, open as long as the test session."""
    settings = Settings(tmp_path_factory.mktemp("lab"), postgres.admin_dsn(server, warehouse.DATABASE))
    with warehouse.connect(settings, autocommit=True) as connection:
        yield Lab(settings, connection)


@pytest.fixture
def lab(laboratory: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The laboratory; `load` reads its contracts during the test."""
    monkeypatch.setattr(load, "source_contract", laboratory.contracts.__getitem__)
    return laboratory
