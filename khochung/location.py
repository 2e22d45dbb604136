"""Where parcels lie: their VN-2000 coordinates as WGS 84, worked out by PROJ once per content.

Land records give northing and easting in metres of a local meridian (3° transverse Mercator zones, EPSG:9205 to 9218 and
5897 to 5899; seed `vn2000_zone`). PostGIS is not required, so PROJ is called here, on whole columns, before dbt reads
`raw.parcel_location`. Only records that are new or have moved are worked out.
"""

import csv
from io import BytesIO

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv
from pyproj import Transformer

from khochung import warehouse
from khochung.settings import PROJECT, Settings

Connection = psycopg.Connection[tuple[object, ...]]
Floats = NDArray[np.float64]
ZONES = PROJECT / "dbt_project" / "seeds" / "vn2000_zone.csv"
LEAST_NORTHING = 900_000.0
"""Metres. Every northing of Việt Nam is above it (8° N and more), every easting of a 3° zone below."""
TYPES = {"parcel_id": pa.string(), "north": pa.float64(), "east": pa.float64(), "meridian": pa.string()}
MOVED = """
    select parcel.thua_dat_id, parcel.x_north, parcel.y_east, parcel.kinh_tuyen_truc
    from raw.land__parcel as parcel
    left join raw.parcel_location as location on parcel.thua_dat_id = location.parcel_id
    where
        parcel._deleted_at is null
        and (
            location.parcel_id is null
            or (location.x_north, location.y_east, location.meridian)
            is distinct from (parcel.x_north, parcel.y_east, parcel.kinh_tuyen_truc)
        )
"""


def zones() -> dict[str, int]:
    """EPSG code of each local meridian, by its spelling in land records (`105-45`)."""
    with ZONES.open(encoding="utf-8", newline="") as stream:
        return {row["meridian"]: int(row["epsg"]) for row in csv.DictReader(stream)}


def are_swapped(x_north: Floats, y_east: Floats) -> NDArray[np.bool_]:
    """True where the easting stands in the place of the northing. NaN is not swapped."""
    return (x_north < LEAST_NORTHING) & (y_east >= LEAST_NORTHING)


def to_wgs84(x_north: Floats, y_east: Floats, meridian: pa.StringArray) -> tuple[Floats, Floats]:
    """Longitude and latitude in degrees, axes put right; NaN where a coordinate is missing or the meridian unknown."""
    swapped = are_swapped(x_north, y_east)
    north, east = np.where(swapped, y_east, x_north), np.where(swapped, x_north, y_east)
    longitude, latitude = np.full(len(north), np.nan), np.full(len(north), np.nan)
    spelling = pc.utf8_trim_whitespace(meridian)
    for name, epsg in zones().items():
        here = np.asarray(pc.fill_null(pc.equal(spelling, name), False)) & (north > 0) & (east > 0)
        if here.any():
            # always_xy: easting and longitude come first, whatever the registry's order of axes.
            transformer = Transformer.from_crs(epsg, 4326, always_xy=True)
            longitude[here], latitude[here] = transformer.transform(east[here], north[here])
    known = np.isfinite(longitude) & np.isfinite(latitude)
    return np.where(known, longitude, np.nan), np.where(known, latitude, np.nan)


def update(settings: Settings) -> int:
    """Bring `raw.parcel_location` up to `raw.land__parcel`, in one transaction. Returns the parcels worked out.

    Nothing to do where no parcel was ever loaded. Two at once queue.
    """
    with warehouse.connect(settings, "loader") as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('khochung.location'))")
        found = connection.execute("select to_regclass('raw.land__parcel')").fetchone()
        if found is None or found[0] is None:
            return 0
        moved = _read(connection)
        if len(moved):
            _write(connection, moved)
        return len(moved)


def _read(connection: Connection) -> pa.Table:
    with connection.cursor().copy(f"copy ({MOVED}) to stdout (format csv)") as copy:
        rows = b"".join(copy)
    if not rows:
        return pa.table({name: pa.array([], kind) for name, kind in TYPES.items()})
    return arrow_csv.read_csv(
        BytesIO(rows),
        read_options=arrow_csv.ReadOptions(column_names=list(TYPES)),
        convert_options=arrow_csv.ConvertOptions(column_types=TYPES, strings_can_be_null=True),
    )


def _write(connection: Connection, moved: pa.Table) -> None:
    connection.execute("create temp table moved (like raw.parcel_location) on commit drop")
    with connection.cursor().copy("copy moved from stdin (format csv)") as copy:
        for batch in moved.combine_chunks().to_batches(max_chunksize=200_000):
            copy.write(_located(batch))
    connection.execute("delete from raw.parcel_location as old using moved where old.parcel_id = moved.parcel_id")
    connection.execute("insert into raw.parcel_location select * from moved")
    connection.execute("analyze raw.parcel_location")


def _located(batch: pa.RecordBatch) -> bytes:
    """Rows of raw.parcel_location as CSV; a missing number is an empty field."""
    north = batch["north"].to_numpy(zero_copy_only=False)
    east = batch["east"].to_numpy(zero_copy_only=False)
    degrees = [pa.array(values, from_pandas=True) for values in to_wgs84(north, east, batch["meridian"])]
    columns = [*batch.columns, pa.array(are_swapped(north, east)), *degrees]
    out = BytesIO()
    options = arrow_csv.WriteOptions(include_header=False)
    arrow_csv.write_csv(pa.RecordBatch.from_arrays(columns, [str(n) for n in range(len(columns))]), out, options)
    return out.getvalue()
