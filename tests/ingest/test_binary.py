"""Whatever a batch holds, PostgreSQL reads the same from our binary COPY as from the text of the value."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khochung import binary
from khochung.extract import ARROW_TYPES, with_source_type
from tests.ingest.toy_source import Lab

PLAIN = [
    "0", "-0.50", "0.00", ".5", "9999", "10000", "-123456789012.12345678", "999999999999999999", "12345678901234567890.1200",
    "0.000000001", "1E+40", "-2.5E-12", "NaN", "inf", "-inf", "1" * 200, "-9223372036854775808",
]  # fmt: skip
NUMERICS = st.one_of(
    st.sampled_from(PLAIN),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.decimals(-(10**12), 10**12, places=2).map(str),
)
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "double precision": st.floats(),
    "boolean": st.booleans(),
    "date": st.dates(),
    "timestamp": MOMENTS,
    "timestamptz": MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)),
    "uuid": st.uuids(),
    "numeric": NUMERICS,
    "jsonb": st.sampled_from(["{}", '{"a": "Ánh"}', "[1, null]", "null"]),
    "text": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
}


def _column(data_type: str, values: list[Any]) -> tuple[pa.Field, pa.Array]:
    kind = pa.uuid() if data_type == "uuid" else ARROW_TYPES.get(data_type, pa.string())
    held = [value.bytes if isinstance(value, uuid.UUID) else value for value in values]
    array = pa.array(held, kind.storage_type if data_type == "uuid" else kind)
    field = with_source_type(pa.field(data_type, kind), data_type)
    return field, pa.ExtensionArray.from_storage(kind, array) if data_type == "uuid" else array


def _spelled(data_type: str, value: Any) -> str | None:
    """The text of a value, which PostgreSQL parses on its own."""
    if value is None:
        return None
    if data_type == "numeric":
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(value, value)
    return value.isoformat() if isinstance(value, date) else repr(value) if isinstance(value, float) else str(value)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_value_of_every_type(lab: Lab, data: st.DataObject) -> None:
    size, skipped = data.draw(st.integers(1, 6)), data.draw(st.integers(0, 2))
    drawn = {
        kind: data.draw(st.lists(st.none() | values, min_size=skipped + size, max_size=skipped + size))
        for kind, values in VALUES.items()
    }
    made = [_column(kind, values) for kind, values in drawn.items()]
    whole = pa.RecordBatch.from_arrays([array for _, array in made], schema=pa.schema([field for field, _ in made]))
    batch = whole.slice(skipped)
    types = [binary.column_type(kind, field) for kind, (field, _) in zip(VALUES, made, strict=True)]
    assert types == list(VALUES), "every one of them travels as what it is"
    with lab.connection.transaction(force_rollback=True), lab.connection.cursor() as cursor:
        columns = ", ".join(f'"{kind}" {kind}' for kind in VALUES)
        cursor.execute(f"create temp table sent (place serial, {columns})")
        names = ", ".join(f'"{kind}"' for kind in VALUES)
        with cursor.copy(f"copy sent ({names}) from stdin (format binary)") as copy:
            copy.write(binary.HEADER)
            for block in binary.blocks(batch, types):
                copy.write(block)
            copy.write(binary.TRAILER)
        for kind, values in drawn.items():
            expected = cursor.execute(
                f"select value::{kind}::text from unnest(%s::text[]) with ordinality as t (value, place) order by place",
                [[_spelled(kind, value) for value in values[skipped:]]],
            ).fetchall()
            assert cursor.execute(f'select "{kind}"::text from sent order by place').fetchall() == expected, kind


@pytest.mark.parametrize("text", PLAIN)
def test_a_column_of_one_number_is_that_number(lab: Lab, text: str) -> None:
    """Alone in its batch, so that a neighbour does not send it the slower way."""
    field, array = _column("numeric", [text])
    batch = pa.RecordBatch.from_arrays([array], schema=pa.schema([field]))
    with lab.connection.transaction(force_rollback=True), lab.connection.cursor() as cursor:
        cursor.execute("create temp table sent (n numeric)")
        with cursor.copy("copy sent from stdin (format binary)") as copy:
            copy.write(b"".join([binary.HEADER, *binary.blocks(batch, ["numeric"]), binary.TRAILER]))
        [[held]] = cursor.execute("select n::text from sent").fetchall()
        if not Decimal(text).is_finite():
            assert Decimal(held).compare_total(Decimal(text)) == 0
        else:
            assert cursor.execute("select %s::numeric::text", [text]).fetchall() == [(held,)]


def test_long_texts_are_sent_in_pieces(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "BLOCK_BYTES", 1000)
    batch = pa.RecordBatch.from_pydict({"words": ["x" * 400] * 10 + [None]})
    assert len(list(binary.blocks(batch, ["text"]))) > 3


def test_what_was_landed_under_another_type_travels_as_text() -> None:
    held = pa.field("n", pa.int32())
    assert [binary.column_type(kind, held) for kind in ("integer", "bigint", "numeric", "text")] == [
        "integer", "text", "text", "text",
    ]  # fmt: skip
    sent = b"".join(binary.blocks(pa.RecordBatch.from_pydict({"n": pa.array([7, None], pa.int32())}), ["text"]))
    assert sent == b"\0\1\0\0\0\x017" + b"\0\1\xff\xff\xff\xff"
