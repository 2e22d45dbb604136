"""What the maintenance DAG does each night."""

import time
from pathlib import Path

from khochung import landing, warehouse
from khochung.release.verify import verify
from khochung.settings import Settings

KEEP_DAYS = 90


def vacuum(settings: Settings) -> None:
    """VACUUM (ANALYZE) of the whole warehouse, one table at a time, outside a transaction."""
    with warehouse.connect(settings, "operator", autocommit=True) as connection:
        connection.execute("vacuum (analyze)")


def verify_public(settings: Settings) -> None:
    """Raises GateError listing what is missing or altered in the public tree. Before a first release there is none."""
    if settings.public.exists():
        verify(settings.public.resolve())


def prune(settings: Settings) -> int:
    """Remove logs and by-products older than KEEP_DAYS, and what killed extractions have left. Returns how many files went.

    What has landed is never pruned.
    """
    oldest = time.time() - KEEP_DAYS * 86400
    removed = landing.remove_partials(settings)
    for folder in (settings.logs, settings.artefacts, settings.airflow / "logs"):
        for path in folder.rglob("*") if folder.exists() else ():
            if path.is_file() and path.stat().st_mtime < oldest:
                Path(path).unlink()
                removed += 1
    return removed
