"""VN-2000 coordinates against published check points, geohashes against known ones."""

import numpy as np
import pytest

from simulator.geodesy import geohash12, transverse_mercator


@pytest.mark.parametrize(
    ("longitude", "latitude", "meridian", "east", "north"),
    [
        (106.405, 10.5476, 105.75, 571488.11, 1166495.05),
        (106.405, 10.5476, 105.5, 598850.38, 1166563.09),
        (106.103, 11.3153, 105.75, 538337.64, 1251353.33),
        (106.103, 11.3153, 105.5, 565628.16, 1251397.84),
    ],
)
def test_check_points(longitude: float, latitude: float, meridian: float, east: float, north: float) -> None:
    found = transverse_mercator(np.array([latitude]), np.array([longitude]), np.array([meridian]))
    assert found[0][0] == pytest.approx(north, abs=2)
    assert found[1][0] == pytest.approx(east, abs=2)


def test_geohash() -> None:
    assert geohash12(np.array([57.64911]), np.array([10.40744])).to_pylist()[0][:11] == "u4pruydqqvj"
