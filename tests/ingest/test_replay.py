"""Landing is the archive: from it alone the tables come back as they were, whatever has happened in between."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from khochung import landing, load
from khochung.contract import Table
from khochung.errors import ContractError, LoadError
from khochung.extract import EXTRA, Delivery, Window, text_schema
from khochung.replay import replay
from tests.ingest.test_load_properties import COLUMNS, DELIVERIES
from tests.ingest.toy_source import START, Lab, Row


def lose(lab: Lab, table: Table, ledger: bool = True) -> None:
    """The warehouse is gone, or only what is in `raw`."""
    for name in (table.relation, f"{table.relation}__history"):
        lab.connection.execute(sql.SQL("drop table if exists raw.{}").format(sql.Identifier(name)))
    lab.connection.execute("delete from raw.refused where source_name = %s", [table.source])
    for name in ("watermark", "load") if ledger else ():
        lab.connection.execute(
            sql.SQL("delete from ops.{} where source_name = %s").format(sql.Identifier(name)), [table.source]
        )


def again(lab: Lab, table: Table, **days: Any) -> list[load.Counts | None]:
    return [counts for _, counts in replay(lab.settings, table, **days)]


@pytest.mark.parametrize("mode", ["snapshot", "cursor", "append"])
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(deliveries=DELIVERIES, order=st.lists(st.integers(0, 3), max_size=3))
def test_whatever_was_loaded_comes_back(lab: Lab, mode: str, deliveries: list[list[Row]], order: list[int]) -> None:
    """Current rows, history, refused rows, tombstones, ledger and watermark; also of deliveries loaded out of turn."""
    table = lab.table(COLUMNS, load=mode, cursor="changed_at" if mode == "cursor" else None)
    landed = [lab.land(table, rows, day, full=day == 1) for day, rows in enumerate(deliveries, start=1)]
    for place in [*range(len(landed)), *(number % len(landed) for number in order)]:
        load.load(lab.settings, landed[place])
    state = lab.state(table)
    lose(lab, table)
    again(lab, table)
    assert lab.state(table) == state
    lose(lab, table, ledger=False)
    again(lab, table)
    after = lab.state(table)
    assert (after.current, after.history, after.refused) == (state.current, state.history, state.refused)
    assert after.ledger == state.ledger * 2, "the ledger tells of both lives"


def test_what_a_guard_stopped_stays_out_and_what_it_let_through_stays_in(lab: Lab) -> None:
    table = lab.table(delete_guard=1)
    many: list[Row] = [[str(number), "x", None] for number in range(100)]
    lab.load(table, many)
    lab.load(table, many[:50], day=2)
    strict = lab.declare(table, delete_guard=0.1)
    with pytest.raises(LoadError, match="keys vanished"):
        lab.load(strict, many[:20], day=3)
    state = lab.state(table)
    lose(lab, table)
    again(lab, strict)
    assert lab.state(table) == state


def test_nothing_is_lost_between_a_commit_and_the_journal(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    table = lab.table()
    lab.load(table, [["1", "a", None]])

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(landing, "note_loads", die)
        lab.load(table, [["1", "b", None]], day=2)
    lab.load(table, [["1", "c", None]], day=3)
    state = lab.state(table)
    lose(lab, table)
    again(lab, table)
    assert lab.state(table) == state
    assert [row[1] for row in lab.rows(table, "__history")] == ["a", "b"]


def test_an_installation_without_a_journal_gets_one_from_its_ledger(lab: Lab) -> None:
    table = lab.table()
    for day, name in enumerate("abc", start=1):
        lab.load(table, [["1", name, None]], day=day)
    journal = lab.settings.landing / table.source / table.name / "loads.jsonl"
    whole, read = journal.read_bytes(), landing.loaded(lab.settings, table.source, table.name)
    for day, kept in enumerate((b"", whole[:-20]), start=4):  # young, and torn by a machine that stopped
        journal.write_bytes(kept)
        lab.load(table, [["1", "d", None]], day)
        assert [each.sha256 for each in landing.loaded(lab.settings, table.source, table.name)][:-1] == [
            each.sha256 for each in read
        ]
        lab.connection.execute("delete from ops.load where source_name = %s and as_of > '2025-09-03'", [table.source])
    state = lab.state(table)
    journal.write_bytes(whole.replace(b'"rows":1', b'"rows":x'))
    with pytest.raises(LoadError, match=r"loads.jsonl was altered"):
        again(lab, table)
    assert lab.state(table) == state


def test_a_table_is_seen_before_or_after_a_replay_and_never_in_between(lab: Lab) -> None:
    table = lab.table()
    lab.load(table, [["1", "a", None]])
    manifest = lab.land(table, [["1", "b", None]], day=2)
    load.load(lab.settings, manifest)
    state = lab.state(table)
    manifest.with_suffix(".parquet").unlink()
    with pytest.raises(LoadError, match="missing or was altered"):
        again(lab, table)
    assert lab.state(table) == state


def test_a_restored_backup_catches_up(lab: Lab) -> None:
    table, twin = lab.table(load="cursor", cursor="changed_at"), lab.table(load="cursor", cursor="changed_at")
    for each in (table, twin):
        for day in range(1, 3):
            lab.load(each, [["1", f"day {day}", None], [f"n{day}", None, None]], day, full=day == 1)
    for day in range(3, 6):
        rows: list[Row] = [["1", f"day {day}", None], [f"n{day}", None, None]]
        lab.load(twin, rows, day)
        landing.note_loads(lab.settings, [landing.read_manifest(lab.land(table, rows, day))])
    assert again(lab, table, first=date(2025, 9, 1), last=date(2025, 9, 4)) != []
    assert lab.state(table).watermark == START.replace(day=5)
    with pytest.raises(LoadError, match="would take them back; leave out --to"):
        again(lab, table, last=date(2025, 9, 3))
    again(lab, table, first=date(2025, 9, 5))
    assert lab.state(table) == lab.state(twin)
    assert again(lab, table, first=date(2025, 9, 1)) == [], "never twice"


def test_a_gap_is_refused(lab: Lab) -> None:
    table = lab.table()
    for day in range(1, 4):
        lab.load(table, [["1", str(day), None]], day)
    lose(lab, table)
    with pytest.raises(LoadError, match="the delivery of 2025-09-01 is not loaded and would be left out"):
        again(lab, table, first=date(2025, 9, 2))
    assert len(again(lab, table, last=date(2025, 9, 2))) == 2
    assert lab.rows(table) == [("1", "2", None, False)]


def test_without_landing_there_is_nothing_to_replay(lab: Lab) -> None:
    with pytest.raises(LoadError, match="nothing was ever loaded from the landing folder"):
        again(lab, lab.table())


def columns_of(table: Table) -> list[dict[str, Any]]:
    return [column.model_dump() for column in table.columns]


def test_a_contract_that_has_changed_since(lab: Lab) -> None:
    """Another type, another name for the same field, a column less, and one that the source did not send then."""
    table = lab.table({"id": "text", "n": "text", "old": "text", "gone": "text"})
    lab.load(table, [["1", "7", "kept", "x"]])
    key, number, old, _ = columns_of(table)
    changed = lab.declare(
        table,
        columns=[
            number | {"data_type": "integer"},
            key,
            old | {"name": "new"},
            old | {"name": "later", "path": "later"},
        ],
    )
    again(lab, changed)
    assert lab.rows(changed) == [(7, "1", "kept", None, False)]
    assert lab.load(changed, [["8", "1", "kept", "z"]], day=2).updated == 1


def deliver(lab: Lab, table: Table, rows: list[dict[str, str | None]], unknown: set[str]) -> Path:
    schema = text_schema(table).append(pa.field(EXTRA, pa.string())) if unknown else text_schema(table)
    delivery = Delivery(schema, iter([pa.RecordBatch.from_pylist(rows, schema)]), "thing", unknown_fields=unknown)
    return landing.write(lab.settings, table, Window(date(2025, 9, 1), None, START), delivery)


def test_a_field_that_no_contract_knew_is_kept_and_filled_in_later(lab: Lab) -> None:
    table = lab.table({"id": "text"})
    extra = '{"words":"nói \\"vâng\\"","n": 1.50,"doc":{"tên":[1, null]},"in":{"side":true},"dotted.name":"d"}'
    rows: list[dict[str, str | None]] = [
        {"id": "1", EXTRA: extra},
        {"id": "2", EXTRA: None},
        {"id": "3", EXTRA: '{"words":null}'},
    ]
    load.load(lab.settings, deliver(lab, table, rows, {"words", "n", "doc", "in", "dotted.name"}))
    assert lab.rows(table) == [("1", False), ("2", False), ("3", False)]
    key = columns_of(table)[0]
    new = {"words": "text", "n": "numeric", "doc": "jsonb", "in.side": "boolean", "dotted.name": "text"}
    later = [
        key | {"name": path.replace(".", "_") + "_", "path": path, "data_type": kind} for path, kind in new.items()
    ]
    wider = lab.declare(table, columns=[key, *later])
    again(lab, wider)
    statement = sql.SQL("select words_, n_::text, doc_, in_side_, dotted_name_ from raw.{} order by id")
    full, *empty = lab.query(statement.format(sql.Identifier(table.relation)))
    assert full == ('nói "vâng"', "1.50", {"tên": [1, None]}, True, "d")
    assert empty == [(None,) * 5] * 2


def test_a_field_that_was_not_kept_is_not_made_up(lab: Lab) -> None:
    table = lab.table({"id": "text"})
    load.load(lab.settings, deliver(lab, table, [{"id": "1", EXTRA: None}], {"words"}))
    state, key = lab.state(table), columns_of(table)[0]
    wider = lab.declare(table, columns=[key, key | {"name": "words", "path": "words"}])
    with pytest.raises(ContractError, match=r"held words when it was landed, but it was not kept.*_toy__sources.yml"):
        again(lab, wider)
    lab.declare(table, columns=[key])
    assert lab.state(table) == state
