"""A dropped CSV file of 260 MB, from the folder to landed Parquet and `raw`. Floor: the server's own COPY of the file.

The rows are generated, have the columns of the register of enterprises, and name nobody.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from bench import loading
from bench.figures import Figure, figure, fresh_warehouse, in_child, median_pair
from khochung import contract, postgres, warehouse
from khochung.contract import Table
from khochung.settings import Settings

ROWS, DAY, PAIRS = 820_000, "2025-09-30", 5


def figures(settings: Settings) -> Iterator[Figure]:
    """The file loaded beside its floor, and the peak of memory at two sizes."""
    folder = settings.home / "drops"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["KHOCHUNG_SOURCE_BUSINESS_FOLDER"] = str(folder)
    path = folder / f"bench{ROWS}_20250930.csv"
    _write(path, ROWS)
    size = f"CSV of {path.stat().st_size / 1e6:.0f} MB"
    pairs, peaks = [], []
    for _ in range(PAIRS):
        fresh_warehouse(settings)
        floor, first = _floor(settings, path), in_child(take, str(ROWS))
        pairs.append((first.rows_per_second, floor))
        peaks.append(first.peak_mb)
    yield figure(f"{size}, first load", "rows/s", *median_pair(pairs), "COPY of the file by the server", 0.4)
    yield figure(f"{size}: peak", "MB", max(peaks), 400, "allowed", 1, at_most=True)
    larger = 4 * ROWS
    _write(folder / f"bench{larger}_20250930.csv", larger)
    peak = in_child(take, str(larger))
    yield figure("CSV four times as large: peak", "MB", peak.peak_mb, 400, "allowed", 1, at_most=True)
    shutil.rmtree(folder)


def take(rows: str) -> int:
    """Extract and load the file as the DAG does, into a table beside the register of enterprises. Returns its rows."""
    changes = {"name": f"enterprise_{rows}", "path": f"bench{rows}_*.csv"}
    return loading.take(_table().model_copy(update=changes), DAY)


def _write(path: Path, rows: int) -> None:
    """Fifteen columns, about 320 bytes a row; half of the cells repeat and some are quoted, as in a real list."""
    header = ";".join(column.path for column in _table().columns)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        stream.write(header + "\r\n")
        for number in range(rows):
            stream.write(
                f'{1100000000 + number};"Công ty TNHH Một thành viên số {number}, Long An";TNHH1TV;{1 + number % 28:02}/0'
                f"{1 + number % 9}/2019;;Đang hoạt động;{(number % 900 + 100) * 1_000_000:,};4{number % 900:04};4101: Xây dựng "
                f"nhà để ở;4102: Xây dựng nhà không để ở;{number % 190};Số {number % 700} đường tỉnh 8{number % 40:02}, "
                "ấp Bình An;(không công bố);;;\r\n".replace(";4102", ",4102")
            )


def _table() -> Table:
    return contract.source("business").table("enterprise")


def _floor(settings: Settings, path: Path) -> float:
    """Rows per second of `COPY … FROM file` into a table of text columns without a key."""
    columns = ", ".join(f"{column.name} text" for column in _table().columns)
    with psycopg.connect(postgres.admin_dsn(settings, warehouse.DATABASE)) as connection:
        connection.execute(f"drop table if exists public.floor; create table public.floor ({columns})")
        connection.commit()
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(f"copy public.floor from '{path}' (format csv, header, delimiter ';')")
            rows = cursor.rowcount
        connection.commit()
        seconds = time.perf_counter() - began
        connection.execute("drop table public.floor")
        return rows / seconds
