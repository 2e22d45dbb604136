"""Where files are dropped: what is left alone, what is refused, and the same from SFTP and S3, with real servers."""

import asyncio
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import asyncssh
import pytest

from khochung.digest import sha256
from khochung.errors import ConfigurationError, ContractError, SourceRefusedError, SourceUnavailableError
from khochung.extract import files, folders
from tests.ingest.test_files import CSV, deliver, drop, folder, rows

__all__ = ["folder"]


@pytest.mark.parametrize(
    "name",
    [
        "ds_20250902.csv.part",
        "ds_20250902.csv.tmp",
        "ds_20250902.csv.filepart",
        ".ds_20250902.csv",
        "~$ds_20250902.csv",
    ],
)
def test_names_of_unfinished_files(folder: Path, name: str) -> None:
    drop(folder, "ds_20250901.csv")
    drop(folder, name, "half")
    assert [delivery.origin for delivery, _ in deliver(path="*ds_*")] == ["ds_20250901.csv"]


def test_names_are_compared_in_one_spelling(folder: Path) -> None:
    """macOS takes the accents of file names apart."""
    drop(folder, "hộ_20250901.csv")
    assert rows(path="hộ_*.csv") == [["1", "a"]]


def test_a_checksum_beside_the_file_is_kept_to(folder: Path) -> None:
    drop(folder, "ds_20250901.csv")
    promised = folder / "ds_20250901.csv.sha256"
    digest = sha256(folder / "ds_20250901.csv")
    promised.write_text(f"{digest.upper()} *ds_20250901.csv\n", encoding="utf-8")
    assert rows(path="ds_*") == [["1", "a"]]
    for other in ("", "0" * 64):
        promised.write_text(other, encoding="utf-8")
        with pytest.raises(SourceUnavailableError, match=r"ds_20250901\.csv is not the file that .*\.sha256 describes"):
            deliver()


def test_a_folder_below_and_a_folder_with_brackets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "[x]" / "thang").mkdir(parents=True)
    drop(folder / "[x]" / "thang", "ds_20250901.CSV")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", str(folder / "[x]"))
    assert rows(path="thang/ds_*") == [["1", "a"]]


def test_links_and_what_is_no_file(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    drop(outside, "secret.csv")
    (folder / "ds_20250901.csv").symlink_to(outside / "secret.csv")
    with pytest.raises(ContractError, match=r"ds_20250901\.csv is a link that leads out of the folder"):
        deliver()
    (folder / "ds_20250901.csv").unlink()
    drop(folder, "held.csv")
    (folder / "ds_20250901.csv").symlink_to(folder / "held.csv")
    assert rows() == [["1", "a"]], "a link inside the folder is the owner's own business"
    (folder / "ds_20250901.csv").unlink()
    for make in (os.mkfifo, os.mkdir):
        make(folder / "ds_20250901.csv")
        with pytest.raises(ContractError, match=r"ds_20250901\.csv is no file"):
            deliver()
        (folder / "ds_20250901.csv").unlink() if make is os.mkfifo else (folder / "ds_20250901.csv").rmdir()


def test_a_file_that_is_replaced_while_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop(folder, "ds_20250901.csv")
    hashed = files.sha256

    def hash_and_replace(target: Path) -> str:
        digest = hashed(target)
        path.write_text("ma;ten\n2;b\n", encoding="utf-8")
        return digest

    monkeypatch.setattr(files, "sha256", hash_and_replace)
    with pytest.raises(SourceUnavailableError, match=r"ds_20250901\.csv changed while it was read; try again"):
        deliver()


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("sftp://reader:geheim@host/x", "carries a password; put it into KHOCHUNG_SOURCE_TOY_SECRET"),
        ("ftp://host/x", r"no folder that we can read: a path, sftp://"),
        ("s3:///x", "no folder that we can read"),
    ],
)
def test_addresses_that_cannot_be_used(folder: Path, monkeypatch: pytest.MonkeyPatch, address: str, match: str) -> None:
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", address)
    with pytest.raises(ConfigurationError, match=match) as raised:
        deliver()
    assert "geheim" not in str(raised.value)


class _Login(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("reader", "geheim")


@pytest.fixture
def sftp(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[int, Path]]:
    """A server on the loopback whose root is the folder; its port, and the known_hosts of our home."""
    home = tmp_path_factory.mktemp("home")
    (home / ".ssh").mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=_Login, server_host_keys=[key],
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=os.fsencode(folder)),
        )  # fmt: skip

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(20)
    port = server.get_port()
    known = home / ".ssh" / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", f"sftp://127.0.0.1:{port}/")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_KEY", "reader")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_SECRET", "geheim")
    monkeypatch.setattr(folders, "SETTLED_S", 0.01)
    yield port, known
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)


def test_files_from_sftp(sftp: tuple[int, Path], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(folder, "ds_20250901.csv")
    drop(folder, "ds_20250902.csv", "ma;ten\n2;Ánh\n")
    drop(folder, "ds_20250903.csv.part", "half")
    ((delivery, found),) = deliver()
    assert (delivery.origin, found) == ("ds_20250902.csv", [["2", "Ánh"]])
    assert deliver(known=frozenset([str(delivery.origin_sha256)])) == []
    assert [delivery.origin for delivery, _ in deliver(load="append")] == ["ds_20250901.csv", "ds_20250902.csv"]

    def write_on(_: float) -> None:
        drop(folder, "ds_20250902.csv", "ma;ten\n2;Ánh\n3;c\n")

    monkeypatch.setattr(folders.time, "sleep", write_on)
    assert deliver() == [], "it grows between two looks"
    monkeypatch.setattr(folders.time, "sleep", lambda _: None)
    (folder / "ds_20250909.csv").symlink_to("ds_20250902.csv")
    with pytest.raises(ContractError, match=r"ds_20250909\.csv is no file"):
        deliver()


def test_sftp_that_refuses(sftp: tuple[int, Path], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port, known = sftp
    drop(folder, "ds_20250901.csv")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_SECRET", "wrong")
    with pytest.raises(SourceRefusedError, match="KHOCHUNG_SOURCE_TOY_KEY and _SECRET"):
        deliver()
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_SECRET", "geheim")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", f"sftp://127.0.0.1:{port}/nowhere")
    with pytest.raises(SourceUnavailableError, match="no file"):
        deliver()
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", f"sftp://127.0.0.1:{port}/")
    known.write_text("", encoding="utf-8")
    with pytest.raises(SourceRefusedError, match="not the one in known_hosts"):
        deliver()
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", "sftp://127.0.0.1:1/")
    with pytest.raises(SourceUnavailableError, match=r"cannot be read .*KHOCHUNG_SOURCE_TOY_FOLDER"):
        deliver()


class _Bucket(BaseHTTPRequestHandler):
    """Enough of S3 to list a bucket and to read from it: ListObjectsV2, HEAD and GET with ranges."""

    protocol_version = "HTTP/1.1"
    root: Path
    key = "AKIDREADER"
    changed = 0.0

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if f"Credential={self.key}/" not in self.headers.get("Authorization", ""):
            return self._answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
        url = urlsplit(self.path)
        name = unquote(url.path).removeprefix("/tinh").lstrip("/")
        if not name:
            return self._answer(200, self._listing(parse_qs(url.query).get("prefix", [""])[0]))
        if not (self.root / name).is_file():
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        body, self.changed = (self.root / name).read_bytes(), (self.root / name).stat().st_mtime
        first, _, last = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
        status = 206 if first else 200
        self._answer(status, body[int(first or 0) : int(last or len(body)) + 1], len(body), int(first or 0))

    def _listing(self, prefix: str) -> bytes:
        found = sorted(path for path in self.root.rglob("*") if path.is_file())
        keys = [(str(path.relative_to(self.root)), path) for path in found]
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{path.stat().st_size}</Size>"
            f"<LastModified>{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
            for key, path in keys
            if key.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()

    def _answer(self, status: int, body: bytes, whole: int = 0, first: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", formatdate(self.changed, usegmt=True))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{whole}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture
def bucket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    handler = type("Bucket", (_Bucket,), {"root": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", "s3://tinh/kho")
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_KEY", _Bucket.key)
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_SECRET", "geheim")
    monkeypatch.setattr(folders, "SETTLED_S", 0.01)
    (folder / "kho").mkdir()
    yield
    server.shutdown()
    server.server_close()


def test_files_from_s3(bucket: None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(folder / "kho", "ds_20250901.csv")
    drop(folder / "kho", "ds_20250902.csv", "ma;ten\n" + "2;Ánh\n" * 300_000)
    ((delivery, found),) = deliver(CSV)
    assert (delivery.origin, len(found), found[-1]) == ("ds_20250902.csv", 300_000, ["2", "Ánh"])
    monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_KEY", "AKIDOTHER")
    with pytest.raises(SourceRefusedError, match="KHOCHUNG_SOURCE_TOY_KEY and _SECRET"):
        deliver(CSV)
