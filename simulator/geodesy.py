"""VN-2000 coordinates (TM-3 zones) and the 12-character geohash of points given in WGS 84 degrees.

Helmert parameters: the published VN-2000 to WGS 84 set of EPSG, position-vector convention as in PROJ,
applied backwards. Check points in tests/simulator/test_geodesy.py agree within a metre.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.columns import Column, Floats, fixed_width

_A, _F = 6378137.0, 1 / 298.257223563
_E2 = _F * (2 - _F)
_SHIFT = np.array([-191.90441429, -39.30318279, -111.45032835])
_TURN = np.radians(np.array([-0.00928836, 0.01975479, -0.00427372]) / 3600)
_SCALE = 0.252906278e-6
_BASE32 = np.frombuffer(b"0123456789bcdefghjkmnpqrstuvwxyz", dtype=np.uint8)


def _to_vn2000(latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """Latitude and longitude in radians on VN-2000."""
    lat, lon = np.radians(latitude), np.radians(longitude)
    n = _A / np.sqrt(1 - _E2 * np.sin(lat) ** 2)
    xyz = np.stack([n * np.cos(lat) * np.cos(lon), n * np.cos(lat) * np.sin(lon), n * (1 - _E2) * np.sin(lat)])
    rx, ry, rz = _TURN
    turn = np.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]])
    x, y, z = np.linalg.inv((1 + _SCALE) * turn) @ (xyz - _SHIFT[:, None])
    p, b = np.hypot(x, y), _A * (1 - _F)
    theta = np.arctan2(z * _A, p * b)
    second = _E2 / (1 - _E2)
    out = np.arctan2(z + second * b * np.sin(theta) ** 3, p - _E2 * _A * np.cos(theta) ** 3)
    return out, np.arctan2(y, x)


def transverse_mercator(latitude: Floats, longitude: Floats, meridian: Floats) -> tuple[Floats, Floats]:
    """(northing, easting) in metres: TM-3, k = 0.9999, false easting 500 km; meridian in degrees."""
    lat, lon = _to_vn2000(latitude, longitude)
    second = _E2 / (1 - _E2)
    n = _A / np.sqrt(1 - _E2 * np.sin(lat) ** 2)
    t, c = np.tan(lat) ** 2, second * np.cos(lat) ** 2
    a = (lon - np.radians(meridian)) * np.cos(lat)
    arc = _A * (
        (1 - _E2 / 4 - 3 * _E2**2 / 64 - 5 * _E2**3 / 256) * lat
        - (3 * _E2 / 8 + 3 * _E2**2 / 32 + 45 * _E2**3 / 1024) * np.sin(2 * lat)
        + (15 * _E2**2 / 256 + 45 * _E2**3 / 1024) * np.sin(4 * lat)
        - (35 * _E2**3 / 3072) * np.sin(6 * lat)
    )
    east = n * (a + (1 - t + c) * a**3 / 6 + (5 - 18 * t + t**2 + 72 * c - 58 * second) * a**5 / 120)
    north = arc + n * np.tan(lat) * (a**2 / 2 + (5 - t + 9 * c + 4 * c**2) * a**4 / 24)
    return 0.9999 * north, 500_000 + 0.9999 * east


def _spread(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Bits of a 30-bit number moved to the even places."""
    out = values
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333), (1, 0x5555555555555555),
    ):  # fmt: skip
        out = (out | (out << np.uint64(shift))) & np.uint64(mask)
    return out


def geohash12(latitude: Floats, longitude: Floats) -> Column:
    """12-character geohash of each point."""
    lat = np.floor((latitude + 90) / 180 * 2**30).astype(np.uint64)
    lon = np.floor((longitude + 180) / 360 * 2**30).astype(np.uint64)
    bits = (_spread(lon) << np.uint64(1)) | _spread(lat)
    shifts = np.arange(55, -1, -5).astype(np.uint64)
    return fixed_width(_BASE32[(bits[:, None] >> shifts) & np.uint64(31)])
