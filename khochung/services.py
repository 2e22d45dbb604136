"""The local services: one list says what runs, with what settings, and how we know that it is up.

Each is its own process group with a pid file and a log under `.khochung/`, so that `make stop` ends exactly these.
`docker-compose.yml` runs the same commands with the same settings on servers; a test holds the two together.
"""

import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from khochung import contract, postgres, province, warehouse
from khochung.errors import ConfigurationError
from khochung.gate import approval
from khochung.settings import REPOSITORY, Settings

READY_TIMEOUT_S = 300
POOL_SLOTS = 2
# What every Airflow process has in common, here and on servers.
AIRFLOW_SETTINGS: Mapping[str, str] = {
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Ho_Chi_Minh",
    "AIRFLOW__CORE__PARALLELISM": "4",  # LocalExecutor forks all its workers at start, about 140 MB each
    "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "4",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME": "86400",  # above the longest task, or it is killed when it expires
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "GX_ANALYTICS_ENABLED": "False",
    "DO_NOT_TRACK": "1",
}


def pools() -> dict[str, int]:
    """Slots by Airflow pool: one pool per source, so that no source system is asked by more than two tasks at once."""
    return {f"source_{name}": POOL_SLOTS for name in contract.sources()}


def port(name: str) -> int:
    """The TCP port of a local service; `AIRFLOW_PORT`, `PORTAL_PORT` and `SIMULATOR_PORT` move them."""
    defaults = {"AIRFLOW": 8080, "PORTAL": 8090, "SIMULATOR": 8180}
    return int(os.environ.get(f"{name}_PORT") or defaults[name])


@dataclass(frozen=True)
class Service:
    """One local process. `ready` is a URL that answers 200 when it can serve; None: alive is enough."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: str | None = None
    listens: int | None = None


def simulator(settings: Settings, scale: float, as_of: str) -> Service:
    """The stand-in source systems, which stand where the province's own would."""
    home = settings.home / "simulator"
    number = port("SIMULATOR")
    command = (
        sys.executable, "-m", "simulator", "serve", "--home", str(home), "--scale", str(scale), "--as-of", as_of,
        "--province", province.served().code, "--port", str(number), "--land-dsn", postgres.admin_dsn(settings, "land_source"),
    )  # fmt: skip
    return Service("simulator", command, _simulator_secrets(settings), f"http://127.0.0.1:{number}/health", number)


def source_environment(settings: Settings) -> dict[str, str]:
    """Where the stand-ins are; a value already in the environment wins, which is how a real source takes its place."""
    values = {
        "KHOCHUNG_SOURCES_FOLDER": str(settings.home / "simulator" / "drops"),
        "KHOCHUNG_NOTICE": "Dữ liệu minh hoạ: mọi người dân, thửa đất, doanh nghiệp và hồ sơ ở đây đều do máy sinh ra.",
        "KHOCHUNG_NOTICE_EN": "Demonstration data: every person, parcel, business and dossier here was generated.",
    }
    for source in contract.sources().values():
        for name, value in _stand_in(settings, source).items():
            values[f"KHOCHUNG_SOURCE_{source.name.upper()}_{name}"] = value
    real = {name: value for name, value in os.environ.items() if name in values or name.startswith("KHOCHUNG_SOURCE_")}
    return values | real


def _stand_in(settings: Settings, source: contract.Source) -> dict[str, str]:
    """Where the stand-in of a source is, by how it is reached: its database, or its address with key and secret. Files are
    in the folder of all of them.
    """
    if source.connector == "files":
        return {}
    if source.connector == "database":
        owner = postgres.admin_dsn(settings, f"{source.name}_source")
        return {"DSN": owner.replace("postgres@", f"{source.name}_reader@")}
    key = _simulator_secrets(settings)
    return {
        "URL": f"http://127.0.0.1:{port('SIMULATOR')}",
        "KEY": key["SIMULATOR_LGSP_KEY"],
        "SECRET": key["SIMULATOR_LGSP_SECRET"],
    }


def airflow_environment(settings: Settings) -> dict[str, str]:
    """Settings of every local Airflow process."""
    address = f"{postgres.SUPERUSER}@localhost/airflow?host={postgres.socket_directory(settings)}"
    url = f"http://127.0.0.1:{port('AIRFLOW')}"
    return {
        **AIRFLOW_SETTINGS,
        "AIRFLOW_HOME": str(settings.airflow),
        "KHOCHUNG_HOME": str(settings.home),
        province.VARIABLE: province.served().code,
        "PYTHONPATH": str(REPOSITORY),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__FERNET_KEY": _secret(settings, "fernet", _fernet),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(settings.airflow / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{address}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{address}",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": _secret(settings, "api"),
        "AIRFLOW__API_AUTH__JWT_SECRET": _secret(settings, "jwt"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(settings.airflow / "logs"),
        **source_environment(settings),
        # Nobody sits before a demonstration: what waits for consent is approved in this name, and says so.
        approval.DEMONSTRATION: os.environ.get(approval.DEMONSTRATION, "demonstration"),
    }


def airflow_services(settings: Settings) -> list[Service]:
    """Airflow's processes. The triggerer is left out here: no task of ours defers."""
    environment = airflow_environment(settings)
    url = f"http://127.0.0.1:{port('AIRFLOW')}/api/v2/version"
    program = str(Path(sys.executable).parent / "airflow")
    api = (program, "api-server", "--host", "127.0.0.1", "--port", str(port("AIRFLOW")))
    return [
        Service("api-server", api, environment, url, port("AIRFLOW")),
        Service("scheduler", (program, "scheduler"), environment),
        Service("dag-processor", (program, "dag-processor"), environment),
    ]


def portal(settings: Settings) -> Service:
    """A plain static file server over `public/`; on servers nginx stands here."""
    number = port("PORTAL")
    command = (sys.executable, "-m", "khochung.portal.serve", str(settings.public), str(number))
    return Service("portal", command, {}, f"http://127.0.0.1:{number}/", number)


def prepare_airflow(settings: Settings) -> None:
    """Folders, the administrator's password, and Airflow's tables."""
    settings.airflow.mkdir(parents=True, exist_ok=True)
    passwords = settings.airflow / "passwords.json"
    if not passwords.exists():
        passwords.write_text(json.dumps({"admin": _secret(settings, "airflow-admin")}), encoding="utf-8")
        passwords.chmod(0o600)
    command = [str(Path(sys.executable).parent / "airflow"), "db", "migrate"]
    log = settings.logs / "airflow-migrate.log"
    with log.open("w", encoding="utf-8") as stream:
        done = subprocess.run(
            command,
            env=os.environ | airflow_environment(settings),
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise ConfigurationError(f"airflow db migrate failed; see {log}")


def start(settings: Settings, service: Service) -> None:
    """Start a service in the background unless the same command already runs; replaces one that runs another."""
    running = _running(settings, service.name)
    fingerprint = json.dumps([service.command, sorted(service.environment.items()), _code()])
    pidfile = _pidfile(settings, service.name)
    if running is not None and pidfile.read_text(encoding="utf-8").split("\n", 1)[1] == fingerprint:
        return
    stop(settings, service.name)  # also what a killed one has left behind: its tasks are about to run again
    if service.listens is not None and _taken(service.listens):
        variable = {"api-server": "AIRFLOW"}.get(service.name, service.name.upper())
        raise ConfigurationError(
            f"port {service.listens} for {service.name} is taken by another program; stop it, or set {variable}_PORT"
        )
    settings.logs.mkdir(parents=True, exist_ok=True)
    with (settings.logs / f"{service.name}.log").open("ab") as log:
        process = subprocess.Popen(
            service.command, env=os.environ | service.environment, cwd=REPOSITORY, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    pidfile.parent.mkdir(parents=True, exist_ok=True)
    pidfile.write_text(f"{process.pid} {psutil.Process(process.pid).create_time()}\n{fingerprint}", encoding="utf-8")
    pidfile.chmod(0o600)


def wait_ready(settings: Settings, service: Service) -> None:
    """Return when the service answers; raises ConfigurationError with the end of its log when it died or is too slow."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if _running(settings, service.name) is None:
            break
        if service.ready is None or _answers(service.ready):
            return
        time.sleep(0.3)
    log = settings.logs / f"{service.name}.log"
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    raise ConfigurationError(f"{service.name} did not come up; the end of {log}:\n{tail}")


def stop(settings: Settings, name: str) -> None:
    """End a service, its children, and the orphans of one that was killed: politely, then after 20 s not."""
    process = _running(settings, name)
    group = {*_session(settings, name), *(process.children(recursive=True) if process else ())}
    for member in group:
        _signal(member, signal.SIGTERM)
    _, alive = psutil.wait_procs(group, timeout=20)
    for member in alive:
        _signal(member, signal.SIGKILL)
    _pidfile(settings, name).unlink(missing_ok=True)


def stop_all(settings: Settings) -> None:
    """End every service that has a pid file, then PostgreSQL."""
    folder = settings.home / "run"
    for pidfile in sorted(folder.glob("*.pid")) if folder.exists() else ():
        stop(settings, pidfile.stem)
    postgres.stop(settings)


def start_postgres(settings: Settings) -> None:
    """The database server with Airflow's database and the stand-ins', and the warehouse with its roles and bookkeeping.

    The server is started with an external warehouse too: Airflow and the stand-in land register live in it.
    """
    postgres.start(settings)
    postgres.create_databases(settings, ("airflow", "land_source", warehouse.DATABASE))
    warehouse.bootstrap(settings)


def _code() -> str:
    """Hash of the code that a service has read when it started: a changed one wants a restart."""
    digest = hashlib.sha256()
    for path in sorted(
        path for room in ("khochung", "simulator", "dags") for path in (REPOSITORY / room).rglob("*.py")
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _signal(process: psutil.Process, number: int) -> None:
    if process.is_running():
        process.send_signal(number)


def _pidfile(settings: Settings, name: str) -> Path:
    return settings.home / "run" / f"{name}.pid"


def _recorded(settings: Settings, name: str) -> tuple[int, float] | None:
    """Number and start time in the pid file. None: there is none, or a kill has cut it short."""
    path = _pidfile(settings, name)
    try:
        pid, created = path.read_text(encoding="utf-8").split("\n", 1)[0].split()
        return int(pid), float(created)
    except (FileNotFoundError, ValueError):
        return None


def _running(settings: Settings, name: str) -> psutil.Process | None:
    """The live process of the pid file; the start time tells it from a stranger with the same number."""
    recorded = _recorded(settings, name)
    try:
        process = psutil.Process(recorded[0]) if recorded else None
        if process and recorded and abs(process.create_time() - recorded[1]) < 1:
            return process if process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        pass
    return None


def _session(settings: Settings, name: str) -> Iterator[psutil.Process]:
    """The processes of the service's session. They outlive a leader that was killed, and then nobody is their parent."""
    recorded = _recorded(settings, name)
    if recorded is None:
        return
    leader, created = recorded
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) != leader:
                continue
            if process.pid == leader and abs(process.create_time() - created) >= 1:
                return  # the number has been given to a stranger
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, follow_redirects=False).status_code < 500
    except httpx.TransportError:
        return False


def _taken(number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", number)) == 0


def _fernet() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _secret(settings: Settings, name: str, make: Callable[[], str] = secrets.token_urlsafe) -> str:
    """A secret of this installation, made on first use and kept in `keys/` (mode 0600)."""
    path = settings.keys / name
    if not path.exists():
        settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(make(), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _simulator_secrets(settings: Settings) -> dict[str, str]:
    return {
        "SIMULATOR_LGSP_KEY": _secret(settings, "simulator-key"),
        "SIMULATOR_LGSP_SECRET": _secret(settings, "simulator-secret"),
    }
