"""Local services and their database: started twice, killed, replaced, and in each other's way."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import psutil
import psycopg
import pytest

from khochung import postgres, services
from khochung.errors import ConfigurationError
from khochung.services import Service
from khochung.settings import Settings, required, today

# A parent with a child, as servers with workers are.
FAMILY = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']); time.sleep(99)"
SLEEPER = Service("sleeper", (sys.executable, "-c", FAMILY))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    made = Settings(tmp_path)
    monkeypatch.setattr(services, "_code", lambda: "the same code")
    yield made
    services.stop_all(made)


def pid(settings: Settings) -> int:
    return int((settings.home / "run" / "sleeper.pid").read_text(encoding="utf-8").split()[0])


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_starting_twice_is_starting_once(settings: Settings) -> None:
    services.start(settings, SLEEPER)
    first = pid(settings)
    services.start(settings, SLEEPER)
    services.wait_ready(settings, SLEEPER)
    assert pid(settings) == first
    assert (settings.home / "run" / "sleeper.pid").stat().st_mode & 0o77 == 0, "it holds the environment, secrets too"


@pytest.mark.parametrize("then", ["start", "stop"])
def test_what_a_killed_service_leaves_behind_is_ended(settings: Settings, then: str) -> None:
    services.start(settings, SLEEPER)
    leader = psutil.Process(pid(settings))
    until(leader.children)
    (orphan,) = leader.children()
    leader.kill()
    leader.wait()
    assert orphan.is_running()
    if then == "start":
        services.start(settings, SLEEPER)
        assert pid(settings) != leader.pid
    else:
        services.stop(settings, "sleeper")
    until(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("change", ["command", "environment", "code"])
def test_a_service_that_has_changed_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    services.start(settings, SLEEPER)
    first = pid(settings)
    changed = SLEEPER
    if change == "command":
        changed = replace(SLEEPER, command=(*SLEEPER.command, "again"))
    elif change == "environment":
        changed = replace(SLEEPER, environment={"X": "1"})
    else:
        monkeypatch.setattr(services, "_code", lambda: "other code")
    services.start(settings, changed)
    assert pid(settings) != first
    assert not psutil.pid_exists(first)


def test_stopping_ends_the_children_too(settings: Settings) -> None:
    services.start(settings, SLEEPER)
    parent = psutil.Process(pid(settings))
    until(parent.children)
    family = [parent, *parent.children()]
    services.stop(settings, "sleeper")
    assert not any(member.is_running() for member in family)
    assert not (settings.home / "run" / "sleeper.pid").exists()
    services.stop(settings, "sleeper")


def test_a_taken_port_is_named_with_its_variable(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {number} for portal is taken.*set PORTAL_PORT"):
            services.start(settings, Service("portal", SLEEPER.command, listens=number))
        with pytest.raises(ConfigurationError, match="set AIRFLOW_PORT"):
            services.start(settings, Service("api-server", SLEEPER.command, listens=number))


@pytest.mark.parametrize("kind", ["dead", "foreign", "cut short", "empty"])
def test_a_pid_file_of_something_else_is_ignored(settings: Settings, kind: str) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    content = {"dead": f"{gone.pid} 1.0\n[]", "foreign": f"{os.getpid()} 1.0\n[]", "cut short": "12", "empty": ""}[kind]
    (settings.home / "run").mkdir()
    (settings.home / "run" / "sleeper.pid").write_text(content, encoding="utf-8")
    services.start(settings, SLEEPER)
    assert psutil.Process(pid(settings)).is_running()
    assert pid(settings) != os.getpid()


def test_a_service_that_dies_shows_the_end_of_its_log(settings: Settings) -> None:
    dying = Service("sleeper", (sys.executable, "-c", "import sys; sys.exit('no such table')"))
    services.start(settings, dying)
    until(lambda: psutil.Process(pid(settings)).status() == psutil.STATUS_ZOMBIE)
    with pytest.raises(ConfigurationError, match=r"(?s)sleeper did not come up.*no such table"):
        services.wait_ready(settings, dying)


def test_secrets_are_made_once_and_kept_closed(settings: Settings) -> None:
    first = services.source_environment(settings)["KHOCHUNG_SOURCE_POPULATION_SECRET"]
    assert services.source_environment(settings)["KHOCHUNG_SOURCE_POPULATION_SECRET"] == first
    assert {path.stat().st_mode & 0o77 for path in settings.keys.iterdir()} == {0}


def test_a_real_source_takes_the_place_of_its_stand_in(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHOCHUNG_SOURCE_LAND_DSN", "postgresql://real")
    assert services.source_environment(settings)["KHOCHUNG_SOURCE_LAND_DSN"] == "postgresql://real"


def test_settings_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHOCHUNG_HOME", str(tmp_path))
    monkeypatch.setenv("KHOCHUNG_WAREHOUSE_DSN", "")
    found = Settings.from_environment()
    assert (found.home, found.warehouse_dsn, found.business_date()) == (tmp_path, None, today())
    (tmp_path / "as_of").write_text("2025-09-30\n", encoding="utf-8")
    assert found.business_date() == date(2025, 9, 30)
    with pytest.raises(ConfigurationError, match="NO_SUCH_VARIABLE is not set: it holds the key; set it"):
        required("NO_SUCH_VARIABLE", "the key")


def test_postgresql_survives_being_killed(settings: Settings) -> None:
    data = settings.postgres / "data"
    data.mkdir(parents=True)
    (data / "half").write_text("an initdb that was killed", encoding="utf-8")
    postgres.start(settings)
    assert not (data / "half").exists(), "what has no PG_VERSION is nobody's data"
    master = int((data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    postgres.start(settings)
    assert int((data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0]) == master
    dsn = postgres.admin_dsn(settings, "postgres")
    with psycopg.connect(dsn) as connection:
        connection.execute("create table kept as select 1 as n")
    os.kill(master, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(master) or psutil.Process(master).status() == psutil.STATUS_ZOMBIE)
    assert not postgres.is_running(settings)
    postgres.start(settings)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select n from kept").fetchall() == [(1,)]
    postgres.stop(settings)
    assert not postgres.is_running(settings)
    shutil.rmtree(data)


def test_the_pid_file_tells_what_runs(settings: Settings) -> None:
    services.start(settings, SLEEPER)
    text = (settings.home / "run" / "sleeper.pid").read_text(encoding="utf-8")
    assert json.loads(text.split("\n", 1)[1])[0] == list(SLEEPER.command)
