"""The loader killed at random moments, now and then PostgreSQL with it: what is loaded in the end is what would have been."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from khochung import load, postgres, warehouse
from khochung.settings import REPOSITORY, Settings
from tests.ingest.toy_source import Lab, Row
from tests.toy_warehouse import running

DELIVERIES = 25
ROWS = 4_000
# Loads what is not in the ledger yet, delivery by delivery, as a task does that is started again and again.
LOADER = """
import sys
from pathlib import Path
from khochung import load, warehouse
from khochung.contract import Source
from khochung.settings import Settings
contract, home, dsn, *manifests = sys.argv[1:]
source = Source.model_validate_json(Path(contract).read_text())
load.source_contract = {source.name: source}.__getitem__
settings = Settings(Path(home), dsn)
print("ready", flush=True)
with warehouse.connect(settings, "loader") as connection:
    (done,) = connection.execute("select count(*) from ops.load where source_name = %s", [source.name]).fetchone()
for manifest in manifests[done:]:
    load.load(settings, Path(manifest))
"""


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A server that may be killed."""
    with running(Settings(tmp_path_factory.mktemp("killed"))) as settings:
        yield settings


def delivery(number: int) -> list[Row]:
    """Full lists that differ: some rows changed, some gone, some new, some twice, some without a key."""
    chance = random.Random(number)
    rows: list[Row] = [
        [str(key), f"{key} {number if chance.random() < 0.1 else 0}", None]
        for key in range(number * 20, ROWS + number * 20)
        if chance.random() < 0.98
    ]
    return [*rows, *rows[:5], [None, str(number), None]]


def kill_postgres(settings: Settings) -> None:
    pid = int((settings.postgres / "data" / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    server = psutil.Process(pid)
    for process in [server, *server.children()]:
        process.kill()
    psutil.wait_procs([server], timeout=10)


@pytest.mark.parametrize("mode", ["snapshot", "append"])
def test_any_kill_is_as_if_it_had_not_been(own_server: Settings, tmp_path: Path, mode: str) -> None:
    chance = random.Random(f"{mode} 2025")
    settings = Settings(tmp_path / "home", postgres.admin_dsn(own_server, warehouse.DATABASE))
    contracts = Lab(settings, connection=None)  # type: ignore[arg-type]
    table, twin = (contracts.table(load=mode) for _ in range(2))
    manifests = [contracts.land(table, delivery(day), day) for day in range(1, DELIVERIES + 1)]
    contract = tmp_path / "contract.json"
    contract.write_text(contracts.contracts[table.source].model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-c", LOADER, str(contract), str(settings.home), str(settings.warehouse_dsn)]
    command += map(str, manifests)
    kills = 0
    while True:
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as loader:
            assert loader.stdout is not None
            assert loader.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, 0.15 + 0.01 * kills))  # longer and longer, so that a slow machine ends too
            if loader.poll() == 0:
                break
            kills += 1
            if kills % 4 == 0:
                kill_postgres(own_server)
            loader.send_signal(signal.SIGKILL)
        postgres.start(own_server)
    assert kills >= 5, "the loader was done before it was disturbed"
    with warehouse.connect(settings, autocommit=True) as connection, pytest.MonkeyPatch.context() as patch:
        lab = Lab(settings, connection, contracts.contracts)
        patch.setattr(load, "source_contract", lab.contracts.__getitem__)
        for day in range(1, DELIVERIES + 1):
            lab.load(twin, delivery(day), day)
        assert len(lab.ledger(table)) == DELIVERIES
        assert lab.state(table) == lab.state(twin)
