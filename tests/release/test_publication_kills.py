"""A publication that is killed at any of its acts on the disk leaves the old release or the new one, whole."""

import hashlib
import json
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from khochung import portal
from khochung.release import files, publish, signing, store, tree
from khochung.release.signing import PublicKey
from tests.toy_warehouse import Toy

KILLS = 200
SLUG = "don-vi-thu"
CHANGES = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink"}


def changes(event: str, arguments: tuple[Any, ...]) -> bool:
    """True for what alters the disk: Python's audit events of it, and files opened for writing."""
    return event in CHANGES or (
        event == "open" and isinstance(arguments[1], str) and any(c in "wxa+" for c in arguments[1])
    )


def killed(work: Callable[[], Any], nth: int) -> bool:
    """Run `work` in a process of its own that is killed before its nth act on the disk. False: it had fewer."""
    child = os.fork()
    if child == 0:
        left = nth

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if changes(event, arguments):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(watch)
            work()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), f"the publication failed by itself: {status}"
    return status != 0


def count_acts(work: Callable[[], Any]) -> int:
    """The number of acts on the disk of `work`, done here."""
    acts, counting = 0, True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal acts
        acts += counting and changes(event, arguments)

    sys.addaudithook(watch)  # it cannot be taken away again
    work()
    counting = False
    return acts


def whole(public: Path, key: PublicKey) -> None:
    """Every file is listed, every digest is right, and the list is signed in the name of this release."""
    root = public.resolve()
    sums = files.checksums(root)
    assert (root / files.SUMS).read_bytes() == sums
    _, said = signing.verify({key.key_id: key}, sums, (root / files.SIGNATURE).read_bytes())
    assert said == tree.comment(root.name)


@pytest.fixture
def light(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """One dataset, no pages, and no reading back of the finished tree, which writes nothing: a publication in a blink."""
    del toy.datasets["dan-so-thu"]
    monkeypatch.setattr(portal, "write", lambda *_: None)
    monkeypatch.setattr(sys.modules[publish.__module__], "verify", lambda _: None)
    return toy


def change(toy: Toy, number: int) -> int:
    """Other data, and a build of them that passed. Returns the build."""
    toy.sql(f"update open_data.toy_units set share = {number} where unit_code = '25510'")
    build = toy.build()
    toy.pass_all(build)
    toy.approve(build)
    return build


def test_two_hundred_kills_leave_no_broken_tree(light: Toy) -> None:
    dice, number = random.Random(20250701), 0
    light.release()
    key = signing.secret(light.settings).public
    acts = count_acts(lambda: light.publish(change(light, 999)))
    build, survived, died = change(light, number), 0, 0
    while died < KILLS:
        # What a kill left is cleared away first, so a publication has up to twice as many acts.
        nth = dice.randint(1, 2 * acts)
        before = store.standing_id(light.settings)
        if killed(lambda: light.publish(build, approved=False), nth):  # noqa: B023
            died += 1
        else:
            survived += 1
        after = store.standing_id(light.settings)
        assert after is not None
        whole(light.settings.public, key)
        if after != before:
            number += 1
            if number % 5 == 0:  # versions pile up, and each is read
                light.settings = type(light.settings)(
                    light.settings.home.with_name(f"home{number}"), light.settings.warehouse_dsn
                )
            build = change(light, number)
    assert survived < KILLS / 4 and number > 0, (
        f"{survived} came too late, {number} releases were made: that proves little"
    )
    light.publish(build)
    whole(light.settings.public, key)


@contextmanager
def reading(public: Path) -> Iterator[list[str]]:
    """Somebody who reads the catalogue and every file that it names, again and again; yields what went wrong."""
    problems: list[str] = []
    rounds = 0
    stop = threading.Event()

    def read() -> None:
        nonlocal rounds
        while not stop.is_set():
            try:
                catalogue = json.loads((public / "api/v1/catalog.json").read_bytes())
                for item in catalogue["datasets"]:
                    for file in item["files"]:
                        data = (public / file["url"].lstrip("/")).read_bytes()
                        if hashlib.sha256(data).hexdigest() != file["sha256"]:
                            problems.append(f"{file['url']} is not as listed")
                rounds += 1
            except (OSError, ValueError) as error:
                problems.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield problems
    finally:
        stop.set()
        reader.join()
    assert rounds > 0, "nobody read anything"


def test_who_reads_during_a_publication_sees_no_error(light: Toy) -> None:
    first = light.release()
    with reading(light.settings.public) as problems:
        for number in range(store.KEEP + 2):
            light.publish(change(light, number))
    assert problems == []
    assert first.release_id not in store.identifiers(light.settings), "old releases were pruned meanwhile"
