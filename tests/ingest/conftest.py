"""One server for the tests of ingestion."""

from collections.abc import Iterator

import pytest

from khochung import load, postgres, warehouse
from khochung.settings import Settings
from tests.ingest.toy_source import Lab
from tests.toy_warehouse import server

__all__ = ["server"]


@pytest.fixture(scope="session")
def lab(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The laboratory; `load` reads its contracts while it is open."""
    home = tmp_path_factory.mktemp("lab")
    settings = Settings(home, postgres.admin_dsn(server, warehouse.DATABASE))
    with warehouse.connect(settings, autocommit=True) as connection, pytest.MonkeyPatch.context() as patch:
        opened = Lab(settings, connection)
        patch.setattr(load, "source_contract", opened.contracts.__getitem__)
        yield opened
