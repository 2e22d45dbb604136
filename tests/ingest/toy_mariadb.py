"""A MariaDB server of the tests' own, from Debian's package, in a folder of its own, with TLS."""

import datetime
import ipaddress
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

BINARIES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
PASSWORD = "p@ss/w#rd"
READER = f"mysql://reader:{PASSWORD.replace('@', '%40').replace('/', '%2F').replace('#', '%23')}@"


@dataclass(frozen=True)
class MariaDB:
    """A running server. `certificate`: what it shows, for 127.0.0.1."""

    port: int
    socket: Path
    certificate: Path

    def dsn(self, **options: str) -> str:
        """The address over TCP of an account that may read schema `s`."""
        query = "&".join(f"{name.replace('_', '-')}={value}" for name, value in options.items())
        return f"{READER}127.0.0.1:{self.port}/s" + (f"?{query}" if query else "")

    def admin(self) -> "pymysql.Connection[Any]":
        return pymysql.connect(
            unix_socket=str(self.socket), user="root", autocommit=True, charset="utf8mb4", sql_mode=""
        )


@contextmanager
def running() -> Iterator[MariaDB]:
    """The server, until the end. Skips where the package is not installed: this is no test's to install."""
    server, install = (shutil.which(name, path=BINARIES) for name in ("mariadbd", "mariadb-install-db"))
    if not server or not install:
        pytest.skip("no mariadbd here: apt-get install --no-install-recommends mariadb-server")
    with tempfile.TemporaryDirectory(prefix="khochung-mariadb-") as name:  # short: a socket's path has 107 bytes
        folder = Path(name)
        certificate = _certificate(folder)
        arguments = ["--no-defaults", f"--datadir={folder}/data", *(["--user=root"] if os.geteuid() == 0 else [])]
        subprocess.run(
            [install, *arguments, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        listener.close()
        running = MariaDB(port, folder / "socket", certificate)
        options = {
            "socket": running.socket, "pid-file": folder / "pid", "port": port, "bind-address": "127.0.0.1",
            "ssl-cert": certificate, "ssl-key": folder / "key.pem", "innodb-buffer-pool-size": "32M",
            "performance-schema": "OFF", "max-allowed-packet": "1M", "skip-name-resolve": "ON",
        }  # fmt: skip
        command = [server, *arguments, *(f"--{name}={value}" for name, value in options.items())]
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                _set_up(running, process, folder / "log")
                yield running
            finally:
                process.terminate()
                process.wait(30)


def _set_up(server: MariaDB, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            connection = server.admin()
        except pymysql.OperationalError:
            time.sleep(0.1)
            continue
        with connection, connection.cursor() as cursor:
            cursor.execute("create database s")
            cursor.execute("create user reader@'127.0.0.1' identified by %s", [PASSWORD])
            cursor.execute("grant select on s.* to reader@'127.0.0.1'")
        return
    raise RuntimeError("mariadbd does not come up:\n" + log.read_text(errors="replace")[-2000:])


def _certificate(folder: Path) -> Path:
    """A certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "toy source")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "key.pem").write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    path = folder / "certificate.pem"
    path.write_bytes(built.public_bytes(encoding))
    return path
