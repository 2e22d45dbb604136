"""Backups: what cannot be made again, encrypted, and the proof that a restored one is the same.

Kept are the schemas `raw`, `ops` and `released`, all that has landed, the releases and the keys of the installation. The
layers of dbt are made again by the next build. Airflow's own database is not kept: no state lives only there.

A backup is encrypted to a public key (age, X25519): this machine can write backups and read none. It counts as made when
its folder has its name, which is the last step.
"""

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

import psycopg
import pyarrow as pa
import pyrage
from psycopg import sql

from khochung import __version__, postgres, warehouse
from khochung.digest import sha256
from khochung.errors import BackupError
from khochung.release import store
from khochung.release.verify import verify
from khochung.settings import Settings

SCHEMAS = ("raw", "ops", "released")
LANDING = ("landing",)
REST = ("releases", "public", "keys", "as_of", "province")
MANIFEST = "backup.json"
DUMP, LANDED, HOME = "warehouse.dump.zst.age", "landing.tar.zst.age", "home.tar.zst.age"
BLOCK = 1 << 20

Connection = psycopg.Connection[tuple[Any, ...]]
Say = Callable[[str], None]


def new_identity(path: Path) -> str:
    """Write a new secret key (age identity, mode 0600) to `path`; returns its public half, the recipient of backups.

    Raises BackupError when there is a file already: the backups that it opens would be lost.
    """
    identity = pyrage.x25519.Identity.generate()
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        raise BackupError(f"{path} is there already: name another file, or backups that it opens are lost") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(f"{identity}\n")
    return str(identity.to_public())


def backup(settings: Settings, folder: Path, recipient: str, say: Say = print) -> Path:
    """Write a backup below `folder`; returns its folder, named by the time in UTC.

    The warehouse is that of one moment, and no release is made meanwhile. What lands later than it is in the backup too,
    and `khochung replay` loads it. Raises BackupError for a recipient that is none, and when a program fails.
    """
    try:
        sealed_to = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise BackupError(
            "the recipient of backups is no public key of age: expected age1…, see `khochung backup-identity`"
        ) from error
    made_at = datetime.now(UTC)
    target = folder / made_at.strftime("%Y%m%dT%H%M%SZ")
    for abandoned in folder.glob(".*.partial"):  # by a backup that failed or was killed
        shutil.rmtree(abandoned)
    partial = folder / f".{target.name}.partial"
    partial.mkdir(parents=True, mode=0o700)
    with warehouse.connect(settings) as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        with store.locked(settings):
            ((snapshot,),) = connection.execute("select pg_export_snapshot()").fetchall()
            say("… releases and keys")
            _write(partial / HOME, lambda stream: _pack(settings, REST, stream), sealed_to)
        say("… the warehouse")
        with ThreadPoolExecutor(1) as beside:
            tables = beside.submit(_digests, connection)
            _write(partial / DUMP, lambda stream: _dump(settings, str(snapshot), stream), sealed_to)
            say("… what has landed")
            _write(partial / LANDED, lambda stream: _pack(settings, LANDING, stream), sealed_to)
            manifest = {
                "made_at": made_at.isoformat(),
                "khochung": __version__,
                "server": connection.info.server_version,
                "tables": tables.result(),
                "files": {name: sha256(partial / name) for name in (HOME, DUMP, LANDED)},
            }
    (partial / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    partial.rename(target)
    return target


def restore(settings: Settings, folder: Path, identity: Path, say: Say = print) -> int:
    """Put a backup into an installation that holds nothing yet, and compare; returns the number of rows.

    The next build makes every layer anew. Raises BackupError when the installation holds something, when a file of the
    backup is damaged, when the key opens it not, and when a table has other rows than it had.
    """
    manifest = _whole(folder)
    _refuse_to_overwrite(settings)
    try:
        key = pyrage.x25519.Identity.from_str(identity.read_text(encoding="utf-8").strip())
    except (OSError, pyrage.IdentityError) as error:
        raise BackupError(
            f"{identity} holds no secret key of age: it is the file that `khochung backup-identity` wrote"
        ) from error
    say("… releases, keys and what has landed")
    for name in (HOME, LANDED):
        with _opened(folder / name, key) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            archive.extractall(settings.home, filter="data")
    settings.keys.chmod(0o700)
    say("… the warehouse")
    warehouse.bootstrap(settings)  # roles, which a dump does not have
    with warehouse.connect(settings) as connection:
        for schema in SCHEMAS:
            connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
    with _opened(folder / DUMP, key) as stream:
        _restore_dump(settings, stream)
    warehouse.bootstrap(settings)  # grants, and what this version adds
    say("… comparing")
    with warehouse.connect(settings) as connection:
        _compare(manifest["tables"], _digests(connection))
        # A build of other code: whatever follows on from an earlier one starts afresh.
        connection.execute(
            "insert into ops.build (as_of, loads_until, code_sha256, status, finished_at, message) "
            "select as_of, loads_until, 'restored', 'failed', clock_timestamp(), 'restored from a backup: every layer is made anew' "
            "from ops.build order by build_id desc limit 1"
        )
    if settings.public.exists():
        verify(settings.public.resolve())
    return sum(int(table["rows"]) for table in manifest["tables"].values())


def _whole(folder: Path) -> dict[str, Any]:
    if not (folder / MANIFEST).is_file():
        raise BackupError(f"{folder} is no backup: it has no {MANIFEST}")
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for name, digest in manifest["files"].items():
        if not (folder / name).is_file() or sha256(folder / name) != digest:
            raise BackupError(
                f"{folder / name} is missing or not as it was written: take another copy of this backup, or another backup"
            )
    return manifest


def _refuse_to_overwrite(settings: Settings) -> None:
    held = [name for name in (*LANDING, "releases") if any((settings.home / name).glob("*"))]
    with warehouse.connect(settings) as connection:
        ((is_used,),) = connection.execute("select to_regclass('ops.load') is not null").fetchall()
        if is_used and connection.execute("select from ops.load limit 1").fetchone() is not None:
            held.append("the warehouse")
    if held:
        raise BackupError(
            f"{', '.join(held)} of {settings.home} would be overwritten: restore into an installation that holds nothing "
            "(another KHOCHUNG_HOME, or this one after it was moved away)"
        )


def _compare(then: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> None:
    """Tables that this version adds may be new; none may lack or differ."""
    differ = sorted(name for name in then if then[name] != now.get(name))
    if differ:
        raise BackupError(f"restored, and not the same as what was backed up: {', '.join(differ)}; take another backup")


def _digests(connection: Connection) -> dict[str, dict[str, str]]:
    """Rows, and the sum of their hashes, of every table of SCHEMAS."""
    tables = connection.execute(
        "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2", [list(SCHEMAS)]
    ).fetchall()
    found = {}
    for schema, table in tables:
        query = sql.SQL("select count(*), coalesce(sum(hash_record_extended(held.*, 0)), 0) from {} as held")
        ((rows, total),) = connection.execute(query.format(sql.Identifier(schema, table))).fetchall()
        found[f"{schema}.{table}"] = {"rows": str(rows), "digest": str(total)}
    return found


def _dump(settings: Settings, snapshot: str, stream: BinaryIO) -> None:
    schemas = [f"--schema={name}" for name in SCHEMAS]
    command = ["pg_dump", "--format=custom", "--compress=0", "--strict-names", f"--snapshot={snapshot}", *schemas]
    with _program(settings, command, "stdout") as output:
        shutil.copyfileobj(output, stream, BLOCK)


def _restore_dump(settings: Settings, stream: BinaryIO) -> None:
    database = warehouse.parameters(settings)["dbname"]
    command = ["pg_restore", "--single-transaction", "--exit-on-error", "--dbname", database]
    with _program(settings, command, "stdin") as taken:
        shutil.copyfileobj(stream, taken, BLOCK)


@contextmanager
def _program(settings: Settings, command: list[str], end: Literal["stdin", "stdout"]) -> Iterator[BinaryIO]:
    """One end of a program of PostgreSQL. The administrator's address is in its environment, which no list of processes
    shows."""
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD"}
    given = {names[key]: value for key, value in warehouse.parameters(settings).items() if key in names}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [str(postgres.binaries() / command[0]), *command[1:]], env=kept | given, stderr=said,
            **{end: subprocess.PIPE},  # type: ignore[call-overload]
        )  # fmt: skip
        with suppress(BrokenPipeError), getattr(process, end) as stream:  # it has ended: what it said comes below
            yield stream
        status = process.wait()
        said.seek(0)
        words = said.read().decode(errors="replace").strip().splitlines()
    if status != 0:
        raise BackupError(f"{command[0]} ended with status {status}: {words[-1] if words else 'it said nothing'}")


def _pack(settings: Settings, names: tuple[str, ...], stream: BinaryIO) -> None:
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        for name in names:
            if os.path.lexists(settings.home / name):
                archive.add(settings.home / name, name, filter=_unless_passing)


def _unless_passing(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Locks and what is half written are no part of a backup."""
    return None if Path(entry.name).name.startswith(".") else entry


def _write(target: Path, source: Callable[[BinaryIO], None], recipient: "pyrage.x25519.Recipient") -> None:
    """What `source` writes, compressed and encrypted; nothing of it is on disk in clear."""
    read_end, write_end = os.pipe()

    def compress() -> None:
        with os.fdopen(write_end, "wb") as raw, pa.CompressedOutputStream(raw, "zstd") as stream:
            source(stream)

    with ThreadPoolExecutor(1) as beside:
        compressed = beside.submit(compress)
        with os.fdopen(read_end, "rb", buffering=BLOCK) as clear, target.open("wb") as stream:
            pyrage.encrypt_io(clear, stream, [recipient])
        compressed.result()


@contextmanager
def _opened(path: Path, key: "pyrage.x25519.Identity") -> Iterator[BinaryIO]:
    """The contents of an encrypted file, as a stream."""
    read_end, write_end = os.pipe()

    def decrypt() -> None:
        with os.fdopen(write_end, "wb") as clear, path.open("rb") as stream:
            pyrage.decrypt_io(stream, clear, [key])

    with ThreadPoolExecutor(1) as beside:
        decrypted = beside.submit(decrypt)
        try:
            with os.fdopen(read_end, "rb", buffering=BLOCK) as clear, pa.CompressedInputStream(clear, "zstd") as stream:
                yield stream
        finally:
            error = decrypted.exception()
            if isinstance(error, pyrage.DecryptError):
                raise BackupError(
                    f"{path} is not for this key, or damaged: use the identity whose recipient it was made for"
                ) from error
        decrypted.result()
