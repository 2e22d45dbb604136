"""The sample site behind a server, and one browser for all tests that want one."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from khochung import portal
from khochung.settings import PROJECT
from tests.portal import sample
from tests.toy_warehouse import server, toy

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The docroot of the sample: two versions of each declared dataset, none late."""
    root = tmp_path_factory.mktemp("public")
    portal.write(sample.make(root), root)
    return root


@pytest.fixture(scope="session")
def address(public: Path) -> Iterator[str]:
    """The sample site behind the local server, with the headers that nginx sends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "khochung.portal.serve", str(public), str(port)]
    process = subprocess.Popen(command, cwd=PROJECT)
    try:
        for _ in range(100):
            try:
                httpx.get(f"http://127.0.0.1:{port}/404.html")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("no browser: the pages were not tried in one; install Debian's `chromium`, or set CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Visit:
    """A window of its own, which notes what a visitor should never see: errors, violations, requests elsewhere."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.address = address
        self.context = browser.new_context(base_url=address, accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.problems: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Any) -> None:
        # Leaving a page drops what it was still fetching.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.failure}: {request.url}")

    def close(self) -> None:
        self.context.close()
        elsewhere = [url for url in self.requests if not url.removeprefix("blob:").startswith(self.address)]
        assert not elsewhere, f"asked of another place: {elsewhere}"
        assert not self.problems, self.problems


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    made = Visit(browser, address, viewport={"width": 1280, "height": 900})
    yield made
    made.close()


__all__ = ["server", "toy"]
