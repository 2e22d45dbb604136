"""The shipped nginx configuration on the sample site: downloads resume and revalidate, pages travel compressed."""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from khochung.settings import PROJECT

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
LAND = "su-dung-dat-theo-xa"
FILE = f"/data/{LAND}/v/2025.9.1/{LAND}.csv"


@pytest.fixture(scope="module")
def nginx(public: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    if not NGINX:
        pytest.skip("no nginx: the shipped configuration was not tried; install Debian's `nginx-light`")
    folder = tmp_path_factory.mktemp("nginx")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shipped = (PROJECT / "deploy/nginx.conf").read_text(encoding="utf-8")
    changes = {
        " /tmp/": f" {folder}/",
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "/var/lib/khochung/public": str(public),
    }
    for old, new in changes.items():
        assert old in shipped, old
        shipped = shipped.replace(old, new)
    # The files of a test that root runs cannot be read by nginx's own user.
    (folder / "nginx.conf").write_text(f"{'user root;' * (os.geteuid() == 0)}\n{shipped}", encoding="utf-8")
    command = [NGINX, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", "stderr", "-g", "daemon off;"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            _wait(client, process)
            yield client
    finally:
        process.terminate()
        process.wait()


def _wait(client: httpx.Client, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(100):
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        try:
            assert client.get("/healthz").text == "ok\n"
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("nginx does not answer")


def test_a_broken_download_is_taken_up_where_it_broke(nginx: httpx.Client, public: Path) -> None:
    """Also by clients that would take gzip, for which servers often send the whole file anew."""
    whole = (public / FILE.lstrip("/")).read_bytes()
    half = len(whole) // 2
    asked = {"Accept-Encoding": "gzip, br"}
    first = nginx.get(FILE, headers=asked | {"Range": f"bytes=0-{half - 1}"})
    rest = nginx.get(FILE, headers=asked | {"Range": f"bytes={half}-", "If-Range": first.headers["ETag"]})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert rest.headers["Content-Range"] == f"bytes {half}-{len(whole) - 1}/{len(whole)}"
    assert hashlib.sha256(first.content + rest.content).digest() == hashlib.sha256(whole).digest()
    assert nginx.get(FILE, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416


@pytest.mark.parametrize("path", [FILE, f"/data/{LAND}/v/2025.9.1/{LAND}.json", "/", "/api/v1/search.vi.json"])
def test_what_has_not_changed_is_not_sent_again(nginx: httpx.Client, path: str) -> None:
    first = nginx.get(path)
    again = nginx.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert nginx.get(path, headers={"If-Modified-Since": first.headers["Last-Modified"]}).status_code == 304
    assert first.headers["ETag"].startswith('"') == path.startswith("/data/")


def test_pages_travel_compressed_and_data_as_they_are(nginx: httpx.Client) -> None:
    assert [nginx.get(path).headers.get("Content-Encoding") for path in ("/", "/api/v1/search.vi.json", FILE)] == [
        "gzip", "gzip", None,
    ]  # fmt: skip


def test_versions_are_kept_for_ever_and_pages_are_asked_for_again(nginx: httpx.Client) -> None:
    assert "immutable" in nginx.get(FILE).headers["Cache-Control"]
    assert "must-revalidate" in nginx.get("/").headers["Cache-Control"]
    assert "wasm-unsafe-eval" in nginx.get("/truy-van/").headers["Content-Security-Policy"]
    assert "wasm" not in nginx.get("/").headers["Content-Security-Policy"]


def test_only_reading_is_possible(nginx: httpx.Client) -> None:
    assert nginx.post("/").status_code == nginx.put(FILE, content=b"x").status_code == 405
    assert nginx.get("/.env").status_code == 404 and nginx.get("/data/").status_code == 403
    missing = nginx.get("/bo-du-lieu/khong-co/")
    assert missing.status_code == 404 and "Không tìm thấy" in missing.text
