"""One province of one hundredth, run through Airflow's scheduler in a home and on ports of its own."""

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from khochung import warehouse
from khochung.settings import REPOSITORY, Settings

SCALE = "0.01"
AS_OF = "2025-09-30"
NEXT_DAY = "2025-10-01"
KEYS = {name: secrets.token_hex(32) for name in ("pseudonym", "noise")}  # of all homes, so that their rows compare


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Installation:
    """A home with its ports; `run` is what `make run` calls."""

    settings: Settings
    environment: dict[str, str]

    @classmethod
    def at(cls, home: Path) -> "Installation":
        (home / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, value in KEYS.items():
            key = home / "keys" / name
            key.touch(mode=0o600)
            key.write_text(value, encoding="utf-8")
        ports = {f"{name}_PORT": str(free_port()) for name in ("AIRFLOW", "PORTAL", "SIMULATOR")}
        mine = {"KHOCHUNG_HOME": str(home), "SCALE": SCALE, "PYTHONPATH": str(REPOSITORY)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KHOCHUNG_", "AIRFLOW"))}
        return cls(Settings(home), kept | ports | mine)

    def command(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "khochung.cli", *arguments], env=self.environment | variables, cwd=REPOSITORY,
            text=True, capture_output=True, timeout=600, check=False,
        )  # fmt: skip

    def run(self, as_of: str = AS_OF) -> str:
        done = self.command("run", AS_OF=as_of)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def ask(self, statement: str, role: warehouse.Role | None = None) -> list[tuple[Any, ...]]:
        with warehouse.connect(self.settings, role) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation after one undisturbed `khochung run`."""
    installation = Installation.at(tmp_path_factory.mktemp("province"))
    try:
        installation.run()
        yield installation
    finally:
        installation.command("stop")
