"""A load that must not be: refused with one clear error, and nothing has moved."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from khochung import landing, load, warehouse
from khochung.contract import Table
from khochung.errors import ContractError, LoadError
from khochung.settings import Settings
from tests.ingest.toy_source import Lab, Row

HUNDRED: list[Row] = [[str(number), "x", None] for number in range(100)]


def refuse(lab: Lab, table: Table, rows: list[Row], match: str, **options: Any) -> None:
    before = lab.state(table)
    with pytest.raises(LoadError, match=match) as caught:
        load.load(lab.settings, lab.land(table, rows, day=2, **options))
    assert f"{table.source}.{table.name}" in str(caught.value)
    assert lab.state(table) == before


@pytest.mark.parametrize("mode", ["snapshot", "cursor"])
def test_a_full_delivery_below_the_floor(lab: Lab, mode: str) -> None:
    table = lab.table(load=mode, cursor="changed_at" if mode == "cursor" else None, row_floor=0.9)
    lab.load(table, HUNDRED, full=True)
    refuse(lab, table, HUNDRED[:89], "89 rows delivered, 100 held, floor 90%.*row_floor", full=True)
    refuse(lab, table, [*HUNDRED[:89], *HUNDRED[:11]], "89 rows delivered", full=True)
    assert lab.load(table, HUNDRED[:90], day=3, full=True).unchanged == 90


def test_a_window_may_be_small_and_a_small_table_may_shrink(lab: Lab) -> None:
    window = lab.table(load="cursor", cursor="changed_at", row_floor=1)
    lab.load(window, HUNDRED, full=True)
    assert lab.load(window, HUNDRED[:1], day=2).unchanged == 1
    small = lab.table(row_floor=1)
    lab.load(small, HUNDRED[:99])
    assert lab.load(small, HUNDRED[:97], day=2).tombstoned == 2


def test_too_many_keys_vanish(lab: Lab) -> None:
    table = lab.table(delete_guard=0.1)
    lab.load(table, HUNDRED)
    refuse(lab, table, HUNDRED[:89], "11 of 100 keys vanished, guard 10%.*delete_guard")
    renamed = [[f"new {row[0]}", *row[1:]] for row in HUNDRED[:30]]
    refuse(lab, table, [*HUNDRED[30:], *renamed], "30 of 130 keys vanished")
    assert lab.load(table, HUNDRED[:90], day=3).tombstoned == 10


def test_no_key_may_vanish_where_the_guard_is_nought(lab: Lab) -> None:
    table = lab.table(delete_guard=0)
    lab.load(table, HUNDRED[:3])
    refuse(lab, table, HUNDRED[:2], "1 of 3 keys vanished, guard 0%")


def test_a_source_that_counts_more_than_it_sent(lab: Lab) -> None:
    table = lab.table(load="cursor", cursor="changed_at")
    lab.load(table, HUNDRED[:3], counted=3)
    refuse(lab, table, HUNDRED[:3], "counts 4 rows and sent 3", counted=4)
    assert lab.load(table, [*HUNDRED[:3], HUNDRED[0]], day=3, counted=3).duplicate == 1, "a page may repeat a row"


def test_rows_that_cannot_be_kept_are_set_aside(lab: Lab) -> None:
    table = lab.table({"id": "text", "n": "integer", "d": "date"}, key=["id", "d"])
    rows = [
        ["1", "5", "2025-01-01"],
        ["", "5", "2025-01-01"],
        ["null", "5", "2025-01-01"],
        ["2", "five", "2025-01-01"],
        ["3", "5", "31/02/2025"],
        ["4", "99999999999", "2025-01-01"],
        ["5", "", "2025-01-01"],
        ["6", "5", None],
    ]
    counts = lab.load(table, rows)
    assert (counts.refused, counts.inserted, counts.current) == (7, 1, 1)
    found = [(code, key, column) for code, key, column, *_ in lab.refused(table)]
    assert found == [
        ("KEY_MISSING", "6|", "d"),
        ("KEY_MISSING", "null|2025-01-01", "id"),
        ("KEY_MISSING", "|2025-01-01", "id"),
        ("TYPE_MISMATCH", "2|2025-01-01", "n"),
        ("TYPE_MISMATCH", "3|31/02/2025", "d"),
        ("TYPE_MISMATCH", "4|2025-01-01", "n"),
        ("TYPE_MISMATCH", "5|2025-01-01", "n"),
    ]
    payloads = {row[1]: row[3] for row in lab.refused(table)}
    assert payloads["2|2025-01-01"] == {"id": "2", "n": "five", "d": "2025-01-01"}, "the row as it was sent"
    lab.load(table, rows, day=2)
    assert {row[4] for row in lab.refused(table)} == {2}, "the same refusal is counted, not repeated"


@pytest.mark.parametrize("alter", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PAR1")])
def test_a_landed_file_is_altered_or_missing(lab: Lab, alter: Callable[[Any], object]) -> None:
    table = lab.table()
    lab.load(table, HUNDRED[:1])
    manifest, before = lab.land(table, HUNDRED[:2], day=2), lab.state(table)
    alter(manifest.with_suffix(".parquet"))
    with pytest.raises(LoadError, match="missing or was altered; extract it again"):
        load.load(lab.settings, manifest)
    assert lab.state(table) == before


def test_a_manifest_that_lies_or_is_lost(lab: Lab) -> None:
    table = lab.table()
    manifest = lab.land(table, HUNDRED[:2])
    told = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(told | {"rows": 3}), encoding="utf-8")
    with pytest.raises(LoadError, match="landed 3 rows, copied 2"):
        load.load(lab.settings, manifest)
    for spoil in (lambda: manifest.write_text("{", encoding="utf-8"), manifest.unlink):
        spoil()
        with pytest.raises(LoadError, match=r"manifest \w+.json is missing or was altered"):
            load.load(lab.settings, manifest)
    assert lab.ledger(table) == []


def test_a_contract_that_has_changed_since_landing(lab: Lab) -> None:
    table = lab.table()
    manifest = lab.land(table, HUNDRED[:1])
    lab.declare(table, overlap_hours=24)
    with pytest.raises(ContractError, match=r"landed under an earlier contract.*_toy__sources.yml"):
        load.load(lab.settings, manifest)


def test_a_changed_type_is_refused_and_a_new_column_is_added(lab: Lab) -> None:
    table = lab.table({"id": "text", "n": "integer"})
    lab.load(table, [["1", "5"]])
    columns = [column.model_dump() for column in table.columns]
    before = lab.state(table)
    changed = lab.declare(table, columns=[columns[0], columns[1] | {"data_type": "numeric"}])
    with pytest.raises(ContractError, match=rf"raw\.{table.relation}\.n is integer in the warehouse and numeric"):
        lab.load(changed, [["1", "5.5"]], day=2)
    assert lab.state(table) == before
    wider = lab.declare(table, columns=[*columns, columns[1] | {"name": "later", "path": "later"}])
    lab.load(wider, [["1", "5", "6"]], day=3)
    assert lab.rows(wider) == [("1", 5, 6, False)]
    assert lab.rows(wider, "__history") == [("1", 5, None, False)]


def test_a_value_that_postgresql_cannot_hold_is_not_quoted(lab: Lab) -> None:
    table = lab.table()
    with pytest.raises(LoadError, match="cannot hold a value of thing") as caught:
        lab.load(table, [["1", "Bí\x00mật", None]])
    assert "mật" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert lab.ledger(table) == []


def test_the_warehouse_is_full(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    table = lab.table()
    lab.load(table, HUNDRED[:1])

    def full(connection: psycopg.Connection[Any], *_: Any) -> None:
        connection.execute("do $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$")

    with monkeypatch.context() as patch:
        patch.setattr(load, "_write_ledger", full)
        refuse(lab, table, HUNDRED[:2], "disk full at the warehouse; nothing loaded; make room")


@pytest.fixture
def tiny_disk(lab: Lab, server: Settings) -> Iterator[None]:
    """The loader's tables on a disk of 24 MB. Needs the right to mount one."""
    folder = server.postgres / "tiny"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a disk of 24 MB cannot be mounted here")
    try:
        owner = server.postgres.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        folder.chmod(0o700)
        with warehouse.connect(lab.settings, autocommit=True) as connection:
            connection.execute(f"create tablespace tiny owner khochung_loader location '{folder}'")
            connection.execute("alter role khochung_loader set default_tablespace = 'tiny'")
            yield
            connection.execute("alter role khochung_loader reset default_tablespace")
            connection.execute("drop tablespace tiny")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_really_fills_up(lab: Lab, tiny_disk: None) -> None:
    table = lab.table()
    many: list[Row] = [[str(number), "x" * 200, None] for number in range(150_000)]
    refuse(lab, table, many, "disk full at the warehouse; nothing loaded; make room")


def test_the_ledger_itself_refuses_counts_that_do_not_add_up(lab: Lab) -> None:
    table = lab.table()
    lab.load(table, HUNDRED[:2])
    with (
        pytest.raises(psycopg.errors.CheckViolation, match="rows_add_up"),
        warehouse.connect(lab.settings, "loader") as connection,
    ):
        connection.execute(
            "update ops.load set inserted_rows = inserted_rows + 1 where source_name = %s", [table.source]
        )


def test_the_next_window_overlaps_the_last(lab: Lab) -> None:
    table = lab.table(load="cursor", cursor="changed_at", overlap_hours=48)
    assert load.window_start(lab.settings, table) is None
    for day in (3, 2):
        manifest = landing.read_manifest(lab.land(table, HUNDRED[:day], day, full=day == 3))
        load.load(lab.settings, lab.settings.landing / manifest.file.replace(".parquet", ".json"))
        mark = lab.state(table).watermark
    assert mark is not None
    assert mark.day == 4, "a replayed older window does not move the watermark back"
    start = load.window_start(lab.settings, table)
    assert start is not None
    assert (mark - start).total_seconds() == 48 * 3600


def test_a_row_that_is_refused_is_not_gone(lab: Lab) -> None:
    """The source still has it, only spoiled: its last good version stays and is no tombstone."""
    table = lab.table({"id": "text", "n": "integer"}, delete_guard=0)
    lab.load(table, [["1", "5"], ["2", "6"]])
    counts = lab.load(table, [["1", "5"], ["2", "six"]], day=2)
    assert (counts.refused, counts.tombstoned, counts.current) == (1, 0, 2)
    assert lab.rows(table) == [("1", 5, False), ("2", 6, False)]


def test_words_that_postgresql_takes_for_dates_are_refused(lab: Lab) -> None:
    table = lab.table({"id": "text", "d": "date"})
    counts = lab.load(table, [["1", "today"], ["2", "infinity"], ["3", "2025-09-30"], ["4", None]])
    assert (counts.refused, counts.inserted) == (2, 2)
