"""Coordinates of parcels: published check points, what cannot be located, and only what has moved is worked out again."""

from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest

from khochung import contract, location, raw, warehouse
from khochung.settings import Settings

TAN_AN, TAY_NINH = (106.405, 10.5476), (106.103, 11.3153)
NAN = float("nan")


def locate(*points: tuple[float, float, str | None]) -> list[tuple[float, float]]:
    north, east, meridian = zip(*points, strict=True)
    longitude, latitude = location.to_wgs84(
        np.array(north, float), np.array(east, float), pa.array(meridian, pa.string())
    )
    return list(zip(longitude.tolist(), latitude.tolist(), strict=True))


@pytest.mark.parametrize(
    ("place", "meridian", "east", "north"),
    [
        (TAN_AN, "105-45", 571488.11, 1166495.05),
        (TAN_AN, "105-30", 598850.38, 1166563.09),
        (TAY_NINH, "105-45", 538337.64, 1251353.33),
        (TAY_NINH, "105-30", 565628.16, 1251397.84),
    ],
)
def test_published_check_points_within_a_centimetre(
    place: tuple[float, float], meridian: str, east: float, north: float
) -> None:
    for x_north, y_east in ((north, east), (east, north)):
        assert locate((x_north, y_east, meridian))[0] == pytest.approx(place, abs=1e-7)


def test_each_row_is_read_by_its_own_meridian() -> None:
    found = locate((1166495.05, 571488.11, "105-45"), (1166563.09, 598850.38, " 105-30 "))
    assert found[0] == pytest.approx(TAN_AN, abs=1e-7) and found[1] == pytest.approx(TAN_AN, abs=1e-7)


@pytest.mark.parametrize(
    "point",
    [(NAN, NAN, "105-45"), (0.0, 0.0, "105-45"), (1166495.05, 571488.11, None), (1166495.05, 571488.11, "105-50"),
     (1e12, 1e12, "105-45")],
)  # fmt: skip
def test_what_cannot_be_located_has_no_place(point: tuple[float, float, str | None]) -> None:
    assert np.isnan(locate(point)).all()


def test_every_zone_is_known_to_the_registry_under_its_meridian() -> None:
    from pyproj import CRS

    zones = location.zones()
    assert len(zones) == 17
    for meridian, epsg in zones.items():
        degrees, minutes = meridian.split("-")
        operation = CRS.from_epsg(epsg).coordinate_operation
        assert operation is not None
        values = {p.name: p.value for p in operation.params}
        assert values["Longitude of natural origin"] == int(degrees) + int(minutes) / 60
        assert values["Scale factor at natural origin"] == 0.9999


def test_only_what_has_moved_is_worked_out_again(server: Settings) -> None:
    table = contract.source("land").table("parcel")
    row = "insert into raw.land__parcel (thua_dat_id, x_north, y_east, kinh_tuyen_truc, _load_id, _loaded_at) values "
    with warehouse.connect(server, "loader") as connection:
        raw.drop_tables(connection, table)
    assert location.update(server) == 0, "no parcel was ever loaded"
    with warehouse.connect(server, "loader") as connection:
        raw.create_tables(connection, table, {column.name: column.data_type for column in table.columns}, 1)
        for number, values in enumerate(
            ("1166495.05, 571488.11, '105-45'", "571488.11, 1166495.05, '105-45'", "null, null, null")
        ):
            connection.execute(f"{row} ('{UUID(int=number)}', {values}, 1, now())")  # type: ignore[arg-type]
    assert [location.update(server), location.update(server)] == [3, 0]
    with warehouse.connect(server, "loader") as connection:
        connection.execute("update raw.land__parcel set kinh_tuyen_truc = '105-30' where x_north > y_east")
    assert [location.update(server), location.update(server)] == [1, 0]
    with warehouse.connect(server, "transformer") as connection:
        found = connection.execute(
            "select is_swapped, round(longitude::numeric, 3)::float8, round(latitude::numeric, 4)::float8 "
            "from raw.parcel_location order by parcel_id"
        ).fetchall()
    assert found == [(False, 106.155, 10.5476), (True, 106.405, 10.5476), (False, None, None)]
