"""The land database: schema mplis in PostgreSQL, filled by COPY in one transaction."""

from collections.abc import Iterable

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from simulator import NOTICE_VI, defects
from simulator.columns import Column
from simulator.delivery import Table, chunks
from simulator.layouts import Layout

READER = "land_reader"
INTEGERS, DOUBLES = {"so_to", "so_thua", "trang_thai", "so_thu_tu"}, {"x_north", "y_east"}
UUIDS = {"thua_dat_id", "thua_goc_id", "muc_dich_id", "quyen_id"}


def column_type(name: str) -> str:
    """PostgreSQL type of a column of the land model."""
    if name in UUIDS:
        return "uuid"
    if name.startswith("thoi_diem"):
        return "timestamp"
    if name in INTEGERS:
        return "integer"
    if name in DOUBLES:
        return "double precision"
    return {"dien_tich": "numeric", "dang_tranh_chap": "boolean"}.get(name, "text")


def copy_rows(layout: Layout, columns: dict[str, Column]) -> memoryview:
    """Rows in COPY text form; no text holds a tab, newline or backslash."""
    parts: list[Column | str] = []
    for name in layout.fields:
        parts += [pc.fill_null(columns[name], "\\N"), "\t"]
    parts[-1] = "\n"
    rows: pa.StringArray = pc.binary_join_element_wise(*parts, "")
    end = memoryview(rows.buffers()[1]).cast("i")[len(rows)]
    return memoryview(rows.buffers()[2])[:end]


def is_current(dsn: str, stamp: str) -> bool:
    """True when the database already holds the world of this stamp."""
    with psycopg.connect(dsn) as connection:
        query = "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'mplis'"
        row = connection.execute(query).fetchone()
    return row is not None and bool(row[0]) and str(row[0]).endswith(stamp)


def build(dsn: str, tables: Iterable[Table], as_of: int, stamp: str) -> tuple[dict[str, int], defects.Found]:
    """Replace the schema's tables in one transaction; returns row counts and injected defects."""
    counts: dict[str, int] = {}
    found: defects.Found = []
    with psycopg.connect(dsn) as connection:
        connection.execute("create schema if not exists mplis")
        for table in tables:
            rows, spoiled = _fill(connection, table, as_of)
            counts[table.layout.table] = rows
            found += spoiled
        note = sql.Literal(f"{NOTICE_VI}; {stamp}")
        connection.execute(sql.SQL("comment on schema mplis is {}").format(note))
        _reader(connection)
    return counts, found


def _fill(connection: psycopg.Connection, table: Table, as_of: int) -> tuple[int, defects.Found]:
    layout = table.layout
    name = sql.Identifier(*layout.path.split("."))
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(column_type(c))) for c in layout.fields
    )
    connection.execute(sql.SQL("drop table if exists {}").format(name))
    connection.execute(sql.SQL("create table {} ({})").format(name, columns))
    rows, found = 0, []
    with connection.cursor().copy(sql.SQL("copy {} from stdin").format(name)) as copy:
        for rendered, seconds, spoiled in chunks(table, as_of):
            copy.write(copy_rows(layout, rendered))
            rows += len(seconds)
            found += spoiled
    connection.execute(sql.SQL("create index on {} (thoi_diem_cap_nhat)").format(name))
    connection.execute(sql.SQL("analyze {}").format(name))
    return rows, found


def _reader(connection: psycopg.Connection) -> None:
    """A read-only role where the login may create one; otherwise the owner of the DSN reads."""
    row = connection.execute("select rolcreaterole or rolsuper from pg_roles where rolname = current_user").fetchone()
    exists = connection.execute("select 1 from pg_roles where rolname = %s", (READER,)).fetchone()
    if not exists:
        if not (row and row[0]):
            print(f"land: no right to create the role {READER}; skipped", flush=True)
            return
        connection.execute(f"create role {READER} login")
        connection.execute(f"alter role {READER} set default_transaction_read_only = on")
    connection.execute(f"grant usage on schema mplis to {READER}")
    connection.execute(f"grant select on all tables in schema mplis to {READER}")
