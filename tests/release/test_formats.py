"""Laws of the formats: what is written is what is read, and the same content gives the same bytes."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khochung import contract
from khochung.errors import GateError
from khochung.release import formats
from khochung.release.content import Content, Row, content_sha256, kind, number_text
from khochung.release.versions import Version, next_free
from khochung.strict import Text

WHERE = contract.Geometry(longitude="share", latitude="area_km2", note=Text(vi="Gần đúng.", en="Approximate."))
TOY = contract.datasets(Path(__file__).parent / "toy")["don-vi-thu"].model_copy(update={"geometry": WHERE})
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n", exclude_characters="\ufffe\uffff"),
    min_size=1,
)
SIZED = st.decimals(-(10**8), 10**8, places=3)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)


def row(
    code: str, name: str | None, day: str | None, ward: bool | None, area: Decimal | None, share: float | None
) -> Row:
    ward_text = None if ward is None else str(ward).lower()
    return (
        code, name, day, ward_text, None if area is None else number_text(area), None if share is None else number_text(share)
    )  # fmt: skip


ROWS = st.builds(
    row,
    TEXTS,
    st.none() | TEXTS,
    st.none() | st.dates().map(str),
    st.none() | st.booleans(),
    st.none() | SIZED,
    st.none() | DOUBLES,
)


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.suffix)
@settings(deadline=None)
@given(rows=st.lists(ROWS, max_size=5))
def test_every_cell_survives_every_format(form: formats.Format, rows: list[Row]) -> None:
    content = Content.of(TOY, rows)
    data = form.write(content)
    formats.same_cells(content, form.read(data, TOY))
    assert form.write(content) == data


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.suffix)
def test_a_changed_cell_is_seen_and_not_repeated(form: formats.Format) -> None:
    good = Content.of(TOY, (("1", "An", None, None, "1", None), ("2", "Bình", None, None, "2", None)))
    other = Content.of(TOY, (good.rows[0], ("2", "Bính", None, None, "2", None)))
    with pytest.raises(GateError, match="row 2, column unit_name") as caught:
        formats.same_cells(good, form.read(form.write(other), TOY))
    assert "Bính" not in str(caught.value)
    with pytest.raises(GateError, match="1 rows were read back"):
        formats.same_cells(good, form.read(form.write(Content.of(TOY, good.rows[:1])), TOY))


def test_geojson_has_longitude_first_and_a_row_without_a_place_no_point() -> None:
    content = Content.of(TOY, (("1", "An", None, None, "10.75", "106.5"), ("2", "Bình", None, None, "11", None)))
    data = formats.write_geojson(content)
    first, second = json.loads(data)["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [106.5, 10.75]}
    assert (second["geometry"], second["properties"]["area_km2"]) == (None, 11)
    moved = data.replace(b"[106.5,10.75]", b"[10.75,106.5]")
    with pytest.raises(GateError, match="feature 1 of the GeoJSON file is not where its properties say"):
        formats.read_geojson(moved, TOY)
    plain = content.dataset.model_copy(update={"geometry": None})
    assert not formats.BY_SUFFIX["geojson"].holds(Content(plain, content.csv))


def test_parquet_carries_nothing_but_the_table() -> None:
    import io

    import pyarrow.parquet as pq

    file = pq.ParquetFile(
        io.BytesIO(formats.write_parquet(Content.of(TOY, (("1", "An", "2025-07-01", "true", "1.5", "0.25"),))))
    )
    assert file.schema_arrow.metadata is None
    assert [str(t) for t in file.schema_arrow.types] == [
        "string",
        "string",
        "date32[day]",
        "bool",
        "decimal128(12, 3)",
        "double",
    ]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_a_number_has_one_text(value: Decimal) -> None:
    text = number_text(value)
    assert Decimal(text) == value
    assert number_text(Decimal(text)) == text
    assert "e" not in text.lower()


def test_the_schema_is_part_of_a_version_and_its_words_are_not() -> None:
    first = TOY.columns[0]
    reworded = TOY.model_copy(
        update={"columns": (first.model_copy(update={"description": "Other."}), *TOY.columns[1:])}
    )
    renamed = TOY.model_copy(update={"columns": (first.model_copy(update={"unit": "m2"}), *TOY.columns[1:])})
    first, other, third = (content_sha256(Content(dataset, b"x")) for dataset in (TOY, reworded, renamed))
    assert first == other != third


def test_a_type_that_formats_do_not_share_is_refused() -> None:
    with pytest.raises(GateError, match="type jsonb cannot be published"):
        kind(TOY.columns[0].model_copy(update={"data_type": "jsonb"}))


@given(st.sets(st.builds(Version, st.integers(2023, 2025), st.integers(1, 12), st.integers(0, 200))), st.dates())
def test_a_new_version_is_above_all_of_its_month(used: set[Version], as_of: object) -> None:
    from datetime import date

    assert isinstance(as_of, date)
    fresh = next_free(used, as_of)
    assert fresh not in used
    assert all(fresh > other for other in used if (other.year, other.month) == (fresh.year, fresh.month))


@pytest.mark.parametrize("text", ["2025.09.0", "2025.13.0", "v2025.9.0", "2025.9", "2025.9.01"])
def test_only_the_canonical_form_is_a_version(text: str) -> None:
    with pytest.raises(GateError, match="is no version"):
        Version.parse(text)
    assert Version.parse("2025.9.10") > Version.parse("2025.9.9")
