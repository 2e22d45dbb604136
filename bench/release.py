"""Export of a dataset of 5 million rows as CSV and as Parquet. Floor: `COPY … TO` of the same rows in the same order.

Both sides end with a file on the disk. Ours has besides: canonical texts, harmless formulas, the checks of every cell and
key that can hold a dataset, and types for Parquet.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.figures import Figure, figure, median_pair
from khochung import contract, warehouse
from khochung.contract import Dataset
from khochung.release import formats
from khochung.release.content import Content, read
from khochung.settings import Settings

ROWS = 5_000_000
ROUNDS = 3
RELATION = "bench_export"
FILL = """
    select
        date '2004-01-01' + cast(i / 25000 as integer) as month_end,
        lpad(cast(25000 + i % 5000 as text), 5, '0') as commune_code,
        cast(1 + i / 5000 % 5 as text) as sex,
        'Xã số ' || i % 5000 as commune_name,
        cast(i % 900 as integer) as residents,
        cast(i % 77777 as numeric(12, 3)) / 8 as area_ha,
        i % 900 < 10 as residents_suppressed
    from generate_series(0, {rows} - 1) as i
"""
COLUMNS = {
    "month_end": ("date", "key"),
    "commune_code": ("text", "key"),
    "sex": ("text", "key"),
    "commune_name": ("text", "attribute"),
    "residents": ("integer", "measure"),
    "area_ha": ("numeric(18,6)", "measure"),
    "residents_suppressed": ("boolean", "attribute"),
}


def figures(settings: Settings) -> Iterator[Figure]:
    """Rows per second of both formats beside the floor."""
    folder = settings.home / "export"
    folder.mkdir(parents=True, exist_ok=True)
    with warehouse.connect(settings, "transformer") as connection:
        connection.execute(f"drop table if exists open_data.{RELATION}")
        connection.execute(f"create table open_data.{RELATION} as {FILL.format(rows=ROWS)}")
        connection.execute(f"grant select on open_data.{RELATION} to khochung_publisher")
    work: dict[str, Callable[[Content], bytes]] = {"CSV": formats.write_csv, "Parquet": formats.write_parquet}
    for name, write in work.items():
        pairs = [
            (_rate(lambda: _export(settings, folder, write)), _rate(lambda: _floor(settings, folder)))  # noqa: B023
            for _ in range(ROUNDS)
        ]
        title = f"release of {ROWS:,} rows as {name}"
        yield figure(title, "rows/s", *median_pair(pairs), "COPY TO in the same order", 0.5)
    with warehouse.connect(settings, "transformer") as connection:
        connection.execute(f"drop table open_data.{RELATION}")


def _rate(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return ROWS / (time.perf_counter() - began)


def _export(settings: Settings, folder: Path, write: Callable[[Content], bytes]) -> None:
    with warehouse.connect(settings, "publisher") as connection:
        content = read(connection, _dataset())
    (folder / "ours").write_bytes(write(content))


def _floor(settings: Settings, folder: Path) -> None:
    query = f'select * from open_data.{RELATION} order by month_end, commune_code collate "C", sex collate "C"'
    with (
        warehouse.connect(settings, "publisher") as connection,
        (folder / "floor").open("wb") as stream,
        connection.cursor().copy(f"copy ({query}) to stdout (format csv, header)") as copy,
    ):
        for block in copy:
            stream.write(block)


def _dataset() -> Dataset:
    """A declared dataset with the columns of the table in place of its own."""
    some = next(iter(contract.datasets().values()))
    columns = tuple(
        some.columns[0].model_copy(update={"name": name, "data_type": kind, "role": role, "codes": None})
        for name, (kind, role) in COLUMNS.items()
    )
    return some.model_copy(update={"model": RELATION, "slug": "bench-export", "columns": columns})
