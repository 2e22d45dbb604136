"""Whatever a source sends, in whatever order: raw holds the newest state, history the rest, and the counts add up."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khochung import load
from khochung.contract import Table
from tests.ingest.toy_source import Lab, Row

MOMENT = datetime(2025, 9, 1, 17, tzinfo=UTC)
NO_KEY = (None, "", "  ", "null")
# Every text here is the one way in which its value is written, so equal texts are equal values.
TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "NULL", "\\N", "\\.", 'nói "vâng"', "hai\ndòng", "a,b;c\t", "Nguyễn Thị Ánh"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
)
RECORDS = st.tuples(
    st.sampled_from(["1", "2", "3", "Ấp 4", "5'\"", *NO_KEY]),
    TEXTS,
    st.one_of(st.none(), st.sampled_from(["0", "0.10", "0.1", "-12345678901234567890.123456789"])),
    st.one_of(st.none(), st.integers(0, 3).map(lambda n: (MOMENT + timedelta(hours=n)).isoformat())),
)
DELIVERIES = st.lists(st.lists(RECORDS, max_size=7), min_size=1, max_size=4)
COLUMNS = {"id": "text", "name": "text", "amount": "numeric", "changed_at": "timestamptz"}


@dataclass
class Model:
    """What a load should do, said in a few lines of Python and with dictionaries."""

    table: Table
    current: dict[str, tuple[Row, bool]] = field(default_factory=dict)
    history: Counter[tuple[Any, ...]] = field(default_factory=Counter)

    def receive(self, rows: list[Row]) -> load.Counts:
        keyed = [row for row in rows if row[0] not in NO_KEY]
        fresh = {str(row[0]): row for row in self._oldest_first(keyed)}
        counts = load.Counts(extracted=len(rows), refused=len(rows) - len(keyed), duplicate=len(keyed) - len(fresh))
        for key, row in fresh.items():
            if self.current.get(key) == (row, False):
                counts.unchanged += 1
                continue
            counts.updated += key in self.current
            counts.inserted += key not in self.current
            self._replace(key, (row, False))
        if self.table.load == "snapshot":
            for key in [key for key, (_, gone) in self.current.items() if not gone and key not in fresh]:
                counts.tombstoned += 1
                self._replace(key, (self.current[key][0], True))
        counts.current = sum(not gone for _, gone in self.current.values())
        return counts

    def _oldest_first(self, rows: list[Row]) -> list[Row]:
        return sorted(rows, key=lambda row: row[3] or "") if self.table.cursor else rows

    def _replace(self, key: str, version: tuple[Row, bool]) -> None:
        if key in self.current:
            row, gone = self.current[key]
            self.history[(*row, gone)] += 1
        self.current[key] = version


def as_sent(rows: list[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    """Stored rows in the texts in which they were sent."""
    return Counter(
        (
            key,
            name,
            None if amount is None else f"{amount:f}",
            at and at.astimezone(UTC).isoformat(),
            gone,
        )
        for key, name, amount, at, gone in rows
    )


@pytest.mark.parametrize("mode", ["snapshot", "cursor", "append"])
# `lab` holds nothing that one example could leave to the next: each makes a table of its own.
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(deliveries=DELIVERIES)
def test_any_sequence_of_deliveries(lab: Lab, mode: str, deliveries: list[list[Row]]) -> None:
    table = lab.table(COLUMNS, load=mode, cursor="changed_at" if mode == "cursor" else None)
    model = Model(table)
    for day, rows in enumerate(deliveries, start=1):
        manifest = lab.land(table, rows, day)
        expected = model.receive(rows)
        assert load.load(lab.settings, manifest) == expected
        state = lab.state(table)
        assert as_sent(state.current) == Counter((*row, gone) for row, gone in model.current.values())
        assert as_sent(state.history) == model.history
        assert state.ledger[-1] == tuple(vars(expected).values())
        assert load.load(lab.settings, manifest) is None
        assert lab.state(table) == state, "loading the same manifest again changed something"


def test_every_type_survives_the_way(lab: Lab) -> None:
    kinds = {
        "id": "integer", "big": "bigint", "share": "double precision", "exact": "numeric", "yes": "boolean",
        "day": "date", "local": "timestamp", "at": "timestamptz", "ref": "uuid", "doc": "jsonb", "words": "text",
    }  # fmt: skip
    table = lab.table(kinds)
    doc = {"tên": 'Nguyễn "A"', "n": [1, None, 0.1]}
    sent = [
        "7", "9007199254740993", "0.1", "1.2300", "true", "2025-07-01", "2025-07-01 00:00:00",
        "2025-07-01T00:00:00+07:00", "6f9619ff-8b86-d011-b42d-00cf4fc964ff", json.dumps(doc), "Cần Đước\r\n",
    ]  # fmt: skip
    lab.load(table, [sent, ["8", *[None] * 10]])
    names = ", ".join(f"{name}::text" for name in kinds if name not in ("doc", "at"))
    kept = lab.query(f"select {names}, at at time zone 'UTC', doc from raw.{table.relation} where id = 7")[0]
    assert kept[:9] == (*sent[:7], sent[8], sent[10])
    assert kept[9:] == (datetime(2025, 6, 30, 17), doc)
    assert lab.rows(table)[1][1:] == (*[None] * 10, False)


def test_empty_text_is_not_null(lab: Lab) -> None:
    table = lab.table()
    lab.load(table, [["1", "", None], ["2", None, None]])
    assert lab.rows(table) == [("1", "", None, False), ("2", None, None, False)]
    assert lab.load(table, [["1", None, None], ["2", "", None]], day=2).updated == 2


def test_a_key_that_comes_back_is_revived(lab: Lab) -> None:
    table = lab.table()
    full = [[str(number), "x", None] for number in range(1, 4)]
    lab.load(table, full)
    assert lab.load(table, full[:2], day=2).tombstoned == 1
    assert lab.rows(table)[2] == ("3", "x", None, True)
    assert lab.load(table, full[:2], day=3).tombstoned == 0, "a tombstone is laid once"
    assert lab.load(table, full, day=4).updated == 1
    assert lab.rows(table) == [(*row, False) for row in full]
    assert lab.rows(table, "__history") == [("3", "x", None, False), ("3", "x", None, True)]


def test_an_older_delivery_may_come_back_into_force(lab: Lab) -> None:
    table = lab.table()
    first = lab.land(table, [["1", "A", None]])
    load.load(lab.settings, first)
    lab.load(table, [["1", "B", None]], day=2)
    again = load.load(lab.settings, first)
    assert again is not None
    assert again.updated == 1
    assert lab.rows(table) == [("1", "A", None, False)]


def test_one_key_written_in_two_ways_is_one_key(lab: Lab) -> None:
    table = lab.table({"id": "integer", "name": "text"})
    counts = lab.load(table, [["7", "A"], ["07", "B"]])
    assert (counts.duplicate, counts.inserted) == (1, 1)
    assert lab.rows(table) == [(7, "B", False)]


def test_the_latest_cursor_wins_in_one_delivery_whatever_its_place(lab: Lab) -> None:
    table = lab.table(load="cursor", cursor="changed_at")
    late, early = "2025-09-01T10:00:00+07:00", "2025-09-01T04:00:00Z"
    counts = lab.load(table, [["1", "early", late], ["1", "late", early], ["1", "late", early]])
    assert counts.duplicate == 2
    assert lab.rows(table)[0][1] == "late", "moments are compared, not texts"
    codes = [(code, seen) for code, *_, seen in lab.refused(table)]
    assert codes == [("KEY_DUPLICATE_CONFLICT", 1), ("KEY_DUPLICATE_EXACT", 1)]


def test_a_first_delivery_of_text_alone_may_repeat_keys(lab: Lab) -> None:
    """There the key itself is tried first; when it does not hold, the rows are sorted out as ever."""
    table = lab.table({"id": "text", "name": "text"})
    counts = lab.load(table, [["1", "a"], ["2", "b"], ["1", "c"], ["2", "b"], [None, "d"]])
    assert (counts.refused, counts.duplicate, counts.inserted) == (1, 2, 2)
    assert lab.rows(table) == [("1", "c", False), ("2", "b", False)]
    assert lab.load(table, [["1", "c"], ["2", "b"]], day=2).unchanged == 2, "the key is there"
