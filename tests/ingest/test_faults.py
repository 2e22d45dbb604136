"""Killed anywhere: a load leaves what was there, and the next one ends where an undisturbed one would have."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from khochung import landing, load
from khochung.contract import Table
from khochung.errors import LoadError, SourceUnavailableError
from khochung.extract import Delivery, Window, text_schema
from khochung.incoming import Incoming
from khochung.settings import REPOSITORY, Settings
from tests.ingest.toy_source import Lab, Row, make_source

FIRST: list[Row] = [["1", "a", None], ["2", "b", None], ["3", "c", None]]
SECOND: list[Row] = [["1", "A", None], ["2", "b", None], ["4", "d", None], ["4", "d", None], [None, "?", None]]
ALWAYS = ["copy", "refuse", "keep_one_per_key", "_check_count", "give_types"]
STEPS = [
    *[pytest.param([], step, id=f"first-{step}") for step in [*ALWAYS, "become_the_table", "_write_ledger"]],
    *[pytest.param([FIRST], step, id=f"next-{step}") for step in [*ALWAYS, "_upsert", "_tombstone", "_write_ledger"]],
    *[pytest.param([FIRST, SECOND], step, id=f"same-{step}") for step in ["_nothing_new", "_write_ledger"]],
]
WINDOW = Window(date(2025, 9, 1), None, datetime(2025, 9, 2, tzinfo=UTC))
# Loads one manifest and stops in the middle of the transaction, where the parent kills it.
STUCK = """
import sys, time
from pathlib import Path
from khochung import load
from khochung.contract import Source
from khochung.settings import Settings
source = Source.model_validate_json(Path(sys.argv[1]).read_text())
load.source_contract = {source.name: source}.__getitem__
load._write_ledger = lambda *_: (print("merged", flush=True), time.sleep(60))
load.load(Settings(Path(sys.argv[2]), sys.argv[3]), Path(sys.argv[4]))
"""


class Killed(BaseException):
    """Not an Exception, so nothing may catch it by the way."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("held", "step"), STEPS)
def test_a_load_that_dies_at_a_step(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, held: list[list[Row]], step: str, after: bool
) -> None:
    table, twin = lab.table(), lab.table()
    for each in (table, twin):
        for day, rows in enumerate(held, start=1):
            lab.load(each, rows, day)
    where = Incoming if hasattr(Incoming, step) else load
    manifest, before, whole = lab.land(table, SECOND, day=3), lab.state(table), getattr(where, step)

    def die(*arguments: object) -> None:
        if after:
            whole(*arguments)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(where, step, die)
        load.load(lab.settings, manifest)
    assert lab.state(table) == before
    load.load(lab.settings, manifest)
    lab.load(twin, SECOND, day=3)
    assert lab.state(table) == lab.state(twin)


def test_a_load_whose_process_is_killed(lab: Lab, tmp_path: Path) -> None:
    table, twin = lab.table(), lab.table()
    for each in (table, twin):
        lab.load(each, FIRST)
    manifest, before = lab.land(table, SECOND, day=2), lab.state(table)
    contract = tmp_path / "contract.json"
    contract.write_text(lab.contracts[table.source].model_dump_json(), encoding="utf-8")
    command = [
        sys.executable, "-c", STUCK, str(contract), str(lab.settings.home), str(lab.settings.warehouse_dsn), str(manifest),
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "merged\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert lab.state(table) == before
    started = time.monotonic()
    load.load(lab.settings, manifest)
    assert time.monotonic() - started < 10, "the dead load still holds its lock"
    lab.load(twin, SECOND, day=2)
    assert lab.state(table) == lab.state(twin)


def one_batch(table: Table, rows: int = 10) -> pa.RecordBatch:
    texts = pa.array([os.urandom(64).hex() for _ in range(rows)], pa.string())
    return pa.RecordBatch.from_arrays([texts] * len(table.columns), schema=text_schema(table))


def test_a_source_that_dies_while_it_is_read(tmp_path: Path) -> None:
    _, table = make_source("toy", "database")

    def batches() -> Iterator[pa.RecordBatch]:
        yield one_batch(table)
        raise SourceUnavailableError("gone")

    with pytest.raises(SourceUnavailableError):
        landing.write(Settings(tmp_path), table, WINDOW, Delivery(text_schema(table), batches(), "thing"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_disk_of_the_landing_folder_is_full(tmp_path: Path) -> None:
    _, table = make_source("toy", "database")
    delivery = Delivery(text_schema(table), iter([one_batch(table, 20_000)]), "thing")
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, allowed[1]))
    try:
        with pytest.raises(LoadError, match=r"toy.thing: disk full while landing.*nothing has landed; make room"):
            landing.write(Settings(tmp_path), table, WINDOW, delivery)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_disk_is_full_when_the_manifest_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, table = make_source("toy", "database")

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(landing.Manifest, "model_dump_json", full)
    with pytest.raises(LoadError, match="disk full"):
        landing.write(
            Settings(tmp_path), table, WINDOW, Delivery(text_schema(table), iter([one_batch(table)]), "thing")
        )
    left = [path.suffix for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [".parquet"], "whole, and without a manifest no load sees it"


def test_the_same_rows_land_on_the_same_bytes_however_they_were_cut(tmp_path: Path) -> None:
    _, table = make_source("toy", "database")
    batch = one_batch(table, 250_000)
    cuts = [[batch], [batch.slice(start, 60_000) for start in range(0, 250_000, 60_000)]]
    paths = {
        landing.write(Settings(tmp_path), table, WINDOW, Delivery(text_schema(table), iter(cut), "thing"))
        for cut in cuts
    }
    assert len(paths) == 1
    manifest = landing.read_manifest(paths.pop())
    assert manifest.rows == 250_000
    landed = pa.Table.from_batches(landing.batches(Settings(tmp_path), manifest, table))
    assert landed.equals(pa.Table.from_batches([batch]))
