"""A backup gives back what it was made from, to whoever has the key and to nobody else, or says what is wrong."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from khochung import postgres, transform, warehouse
from khochung.errors import BackupError
from khochung.ops import backup as backups
from khochung.release.verify import verify
from khochung.settings import Settings
from tests.toy_warehouse import Toy

SECRET = "Nguyễn Thị Bí Mật 080190012345"
DELIVERY = "landing/toy/thing/2025-09-30/0a1b.parquet"


def kept(settings: Settings) -> dict[str, bytes]:
    """Every file of an installation that a backup has to have, by its path."""
    rooms = (settings.home / name for name in ("landing", "releases", "keys"))
    return {
        str(path.relative_to(settings.home)): path.read_bytes()
        for room in rooms
        for path in room.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.fixture
def filled(toy: Toy) -> Iterator[Toy]:
    """An installation with a release, a delivery and a raw table, in which a name stands."""
    toy.release()
    (toy.settings.home / DELIVERY).parent.mkdir(parents=True)
    (toy.settings.home / DELIVERY).write_bytes(SECRET.encode() * 1000)
    (toy.settings.home / DELIVERY).with_name(".partial-1").write_text("half", encoding="utf-8")
    with warehouse.connect(toy.settings, "loader") as connection:
        connection.execute("create table raw.toy (id text primary key, held numeric, note text)")
        connection.execute(
            "insert into raw.toy select i::text, i / 3.0, %s from generate_series(1, 500) as i", [SECRET]
        )
    yield toy
    toy.sql("drop table raw.toy", "loader")


@pytest.fixture
def empty(server: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Another installation, which holds nothing yet."""
    with warehouse.connect(server, autocommit=True) as connection:
        connection.execute("create database elsewhere")
    yield Settings(tmp_path / "new", postgres.admin_dsn(server, "elsewhere"))
    with warehouse.connect(server, autocommit=True) as connection:
        connection.execute("drop database elsewhere with (force)")


@pytest.fixture
def made(filled: Toy, tmp_path: Path) -> tuple[Path, Path]:
    """A backup and the file of its key."""
    identity = tmp_path / "identity"
    return backups.backup(filled.settings, tmp_path / "backups", backups.new_identity(identity)), identity


def test_an_empty_installation_becomes_the_one_that_was_kept(
    filled: Toy, made: tuple[Path, Path], empty: Settings
) -> None:
    before = kept(filled.settings)
    assert before[DELIVERY] and any(path.startswith("releases/") for path in before)
    rows = backups.restore(empty, *made)
    assert kept(empty) == before
    assert empty.public.resolve() == empty.releases / filled.settings.public.resolve().name
    verify(empty.public.resolve())
    with warehouse.connect(empty, "loader") as connection:
        held = connection.execute("select * from raw.toy order by id").fetchall()
    assert held == filled.sql("select * from raw.toy order by id", "loader")
    assert rows > len(held) == 500
    ((builds, newest, day),) = filled.sql("select count(*), max(build_id), max(as_of) from ops.build", "operator")
    with warehouse.connect(empty, "operator") as connection:
        told = connection.execute("select build_id, status, code_sha256 from ops.build order by 1").fetchall()
    assert len(told) == builds + 1
    assert told[-1][1:] == ("failed", "restored")
    assert transform._loads_seen(empty, transform.Build(newest + 2, day, 0)) is None
    assert (empty.keys / "gate").stat().st_mode & 0o777 == 0o600


def test_nobody_reads_it_without_the_key(made: tuple[Path, Path]) -> None:
    folder, _ = made
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert SECRET.encode() not in path.read_bytes()
        if path.name.endswith(".age"):
            assert path.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert SECRET not in (folder / "backup.json").read_text(encoding="utf-8")


def test_another_key_opens_nothing(made: tuple[Path, Path], empty: Settings, tmp_path: Path) -> None:
    backups.new_identity(tmp_path / "other")
    with pytest.raises(BackupError, match="not for this key"):
        backups.restore(empty, made[0], tmp_path / "other")


@pytest.mark.parametrize("name", [backups.DUMP, backups.LANDED, backups.HOME])
def test_a_damaged_file_is_named_before_anything_is_touched(
    made: tuple[Path, Path], empty: Settings, name: str
) -> None:
    path = made[0] / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BackupError, match=name):
        backups.restore(empty, *made)
    assert not empty.home.exists()


def test_rows_that_are_not_those_of_then_are_found(made: tuple[Path, Path], empty: Settings) -> None:
    manifest = json.loads((made[0] / "backup.json").read_text(encoding="utf-8"))
    manifest["tables"]["raw.toy"]["digest"] = "1"
    (made[0] / "backup.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(BackupError, match=r"raw\.toy"):
        backups.restore(empty, *made)


def test_nothing_is_overwritten(filled: Toy, made: tuple[Path, Path]) -> None:
    before = kept(filled.settings)
    with pytest.raises(BackupError, match="landing, releases"):
        backups.restore(filled.settings, *made)
    assert kept(filled.settings) == before


def test_a_backup_that_fails_has_no_name_and_the_next_one_clears_it(
    filled: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipient = backups.new_identity(tmp_path / "identity")
    with monkeypatch.context() as patch:
        patch.setattr(backups, "SCHEMAS", ("raw", "nowhere"))
        with pytest.raises(BackupError, match=r"pg_dump ended with status 1: .*nowhere"):
            backups.backup(filled.settings, tmp_path / "backups", recipient)
    assert [path.name[0] for path in (tmp_path / "backups").iterdir()] == ["."]
    folder = backups.backup(filled.settings, tmp_path / "backups", recipient)
    assert list((tmp_path / "backups").iterdir()) == [folder]


def test_what_is_no_recipient_no_identity_and_no_backup_is_said(
    filled: Toy, empty: Settings, made: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(BackupError, match="expected age1"):
        backups.backup(filled.settings, tmp_path / "backups", "age1nobody")
    with pytest.raises(BackupError, match=r"no backup\.json"):
        backups.restore(empty, tmp_path, made[1])
    with pytest.raises(BackupError, match="holds no secret key"):
        backups.restore(empty, made[0], made[0] / "backup.json")
    with pytest.raises(BackupError, match="is there already"):
        backups.new_identity(made[1])
