"""What the maintenance DAG does each night."""

import time
from pathlib import Path

from psycopg import sql

from khochung import warehouse
from khochung.release.verify import verify
from khochung.settings import Settings

KEEP_DAYS = 90
SCHEMAS = ("raw", "staging", "intermediate", "marts", "open_data", "quality", "ops")


def vacuum(settings: Settings) -> None:
    """VACUUM (ANALYZE) every table of the warehouse, one at a time, outside a transaction."""
    with warehouse.connect(settings, autocommit=True) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2", [list(SCHEMAS)]
        ).fetchall()
        for schema, table in tables:
            connection.execute(sql.SQL("vacuum (analyze) {}.{}").format(sql.Identifier(schema), sql.Identifier(table)))


def verify_public(settings: Settings) -> None:
    """Raises GateError listing what is missing or altered in the public tree. Before a first release there is none."""
    if settings.public.exists():
        verify(settings.public.resolve())


def prune(settings: Settings) -> int:
    """Remove logs and by-products older than KEEP_DAYS. Returns how many files went. Landing is never pruned."""
    oldest = time.time() - KEEP_DAYS * 86400
    removed = 0
    for folder in (settings.logs, settings.artefacts, settings.airflow / "logs"):
        for path in folder.rglob("*") if folder.exists() else ():
            if path.is_file() and path.stat().st_mtime < oldest:
                Path(path).unlink()
                removed += 1
    return removed
