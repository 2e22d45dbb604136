"""A served tree, brought here file by file as its SHA256SUMS lists them, so that it is verified like a folder."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from khochung.errors import GateError
from khochung.release import files

_LINE = re.compile(r"([0-9a-f]{64})  ((?:[A-Za-z0-9][A-Za-z0-9._-]*/)*[A-Za-z0-9][A-Za-z0-9._-]*)")


@contextmanager
def fetched(url: str) -> Iterator[Path]:
    """The tree, or the version folder, that is served at `url`, in a folder that is gone afterwards.

    Raises GateError naming what is missing, or not listed as it should be.
    """
    with TemporaryDirectory(prefix="khochung-verify-") as place, httpx.Client(timeout=60) as client:
        root, base = Path(place), url.rstrip("/")
        _get(client, base, files.SUMS, root)
        for line in (root / files.SUMS).read_text(encoding="utf-8").splitlines():
            match = _LINE.fullmatch(line)
            if not match:
                raise GateError(f"{base}/{files.SUMS} has a line that is no digest and name: it is not of a release")
            _get(client, base, match[2], root)
        _get(client, base, files.SIGNATURE, root)
        yield root


def _get(client: httpx.Client, base: str, name: str, root: Path) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with client.stream("GET", f"{base}/{name}", headers={"Accept-Encoding": "identity"}) as answer:
            if answer.status_code != 200:
                raise GateError(f"{base}/{name}: status {answer.status_code}; the release is not whole")
            with path.open("wb") as stream:
                for block in answer.iter_bytes():
                    stream.write(block)
    except httpx.HTTPError as error:
        raise GateError(f"{base}/{name}: {error or type(error).__name__}") from error
