"""Two runs at once: loads of one table queue, tables do not wait for each other, and landing holds whole files only."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from khochung import landing, load
from khochung.contract import Table
from khochung.errors import LoadError
from khochung.extract import Delivery, Window, text_schema
from khochung.ops import housekeeping
from khochung.settings import REPOSITORY, Settings
from tests.ingest.toy_source import Lab, Row, make_source

WINDOW = Window(date(2025, 9, 1), None, datetime(2025, 9, 2, tzinfo=UTC))
# Lands a table and stops in the middle, where the parent kills it.
STUCK = """
import sys, time
from pathlib import Path
import pyarrow as pa
from khochung import landing
from khochung.extract import Delivery, Window, text_schema
from khochung.settings import Settings
from tests.ingest.test_two_at_once import WINDOW
from tests.ingest.toy_source import make_source
_, table = make_source("toy", "database")
def batches():
    yield pa.RecordBatch.from_pylist([{"id": "1", "name": "x", "changed_at": None}], text_schema(table))
    print("landing", flush=True)
    time.sleep(60)
landing.write(Settings(Path(sys.argv[1])), table, WINDOW, Delivery(text_schema(table), batches(), "thing"))
"""


def until(happened: Callable[[], bool]) -> None:
    """Waits for what must come; only a broken program gets to the end of its patience."""
    for _ in range(3000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come")


def test_loads_of_one_table_queue_and_other_tables_go_on(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    table, twin, other = lab.table(), lab.table(), lab.table()
    first, second = ([["1", "a", None], ["2", "b", None]], [["1", "A", None], ["3", "c", None]])
    entered, go, whole = threading.Event(), threading.Event(), load._write_ledger

    def wait(connection: load.Connection, loaded: Table, *rest: object) -> None:
        if loaded.source == table.source:
            entered.set()
            assert go.wait(30)
        whole(connection, loaded, *rest)  # type: ignore[arg-type]

    def waiting() -> bool:
        return lab.query("select count(*) from pg_locks where locktype = 'advisory' and not granted") == [(1,)]

    manifests = [lab.land(table, rows, day) for day, rows in enumerate((first, second), start=1)]
    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(load, "_write_ledger", wait)
        try:
            one = pool.submit(load.load, lab.settings, manifests[0])
            assert entered.wait(30)
            two = pool.submit(load.load, lab.settings, manifests[1])
            until(waiting)
            assert lab.load(other, first).inserted == 2, "another table does not wait"
            assert lab.rows(table) == [], "nothing is seen before the commit"
        finally:
            go.set()
        assert (one.result(), two.result()) != (None, None)
    for day, rows in enumerate((first, second), start=1):
        lab.load(twin, rows, day)
    assert lab.state(table) == lab.state(twin)


def test_one_delivery_loaded_twice_at_once_is_loaded_once(lab: Lab) -> None:
    table = lab.table()
    manifest = lab.land(table, [["1", "a", None]])
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: load.load(lab.settings, manifest), range(4)))
    assert [each.inserted for each in counts if each] == [1]
    assert len(landing.loaded(lab.settings, table.source, table.name)) == len(lab.ledger(table)) == 1


@pytest.mark.parametrize("same", [True, False], ids=["same-rows", "other-rows"])
def test_two_extractions_at_once_land_two_whole_files(lab: Lab, tmp_path: Path, same: bool) -> None:
    _, table = make_source("toy", "database")
    settings, barrier = Settings(tmp_path), threading.Barrier(2)

    def write(name: str) -> landing.Manifest:
        def batches() -> Iterator[pa.RecordBatch]:
            for number in range(50):
                barrier.wait(30)
                yield pa.RecordBatch.from_pylist(
                    [{"id": str(number), "name": name, "changed_at": None}], text_schema(table)
                )

        return landing.read_manifest(
            landing.write(settings, table, WINDOW, Delivery(text_schema(table), batches(), "thing"))
        )

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(write, ("a", "a" if same else "b")))
    assert len({manifest.sha256 for manifest in found}) == (1 if same else 2)
    for manifest, name in zip(found, ("a", "a" if same else "b"), strict=True):
        rows = pa.Table.from_batches(landing.batches(settings, manifest, table)).to_pylist()
        assert [row["name"] for row in rows] == [name] * 50
    assert list(tmp_path.rglob(".partial-*")) == []


def test_what_a_killed_extraction_leaves_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    _, table = make_source("toy", "database")
    settings = Settings(tmp_path)
    delivery = Delivery(text_schema(table), iter(()), "thing")
    command = [sys.executable, "-c", STUCK, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "landing\n"
        landing.write(settings, table, WINDOW, delivery)
        assert housekeeping.prune(settings) == 0
        assert len(list(tmp_path.rglob(".partial-*"))) == 1, "its process lives"
        process.send_signal(signal.SIGKILL)
        process.wait()
    landing.write(settings, table, WINDOW, delivery)
    assert list(tmp_path.rglob(".partial-*")) == []


def land(lab: Lab, table: Table, rows: list[Row], after_load: int) -> Path:
    schema = text_schema(table)
    batch = pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
    return landing.write(lab.settings, table, WINDOW, Delivery(schema, iter([batch]), "thing"), after_load)


@pytest.mark.parametrize("mode", ["snapshot", "cursor", "append"])
def test_the_older_of_two_readings_does_not_stand_over_the_younger(lab: Lab, mode: str) -> None:
    table = lab.table(load=mode, cursor="changed_at" if mode == "cursor" else None)
    before = load.standing(lab.settings, table).load_id
    older, younger = (land(lab, table, [["1", name, None]], before) for name in ("old", "new"))
    load.load(lab.settings, younger)
    if mode == "append":
        assert load.load(lab.settings, older) is not None
        return
    with pytest.raises(LoadError, match=r"came in between and may be younger; nothing loaded; extract it again"):
        load.load(lab.settings, older)
    assert [row[1] for row in lab.rows(table)] == ["new"]
    assert load.load(lab.settings, land(lab, table, [["1", "newer", None]], before)) is not None, "it began afterwards"


def test_readings_of_other_days_do_not_age(lab: Lab) -> None:
    """The runs of one backfill, side by side."""
    table = lab.table(load="cursor", cursor="changed_at")
    lab.load(table, [["0", "a", None]], full=True)
    landed = [
        landing.write(lab.settings, table, window, Delivery(text_schema(table), iter(()), "thing"), 0)
        for window in (
            Window(date(2025, 8, day), datetime(2025, 8, day, tzinfo=UTC), datetime(2025, 8, day + 1, tzinfo=UTC))
            for day in (1, 2, 3)
        )
    ]
    assert [load.load(lab.settings, path) is not None for path in reversed(landed)] == [True] * 3
