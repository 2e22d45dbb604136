"""Nightly housekeeping: statistics, old landing files, old logs, and a check of what is public."""

from airflow.sdk import CronTriggerTimetable, dag, task
from common import DEFAULTS, TIMEZONE

DOC = """
### Maintenance
**Purpose.** Refreshes planner statistics, verifies every checksum of the public tree, and prunes logs and by-products
older than 90 days. Landing is kept: it is the archive.

**When it is red.** `verify_public`: a published file is missing or altered; put the release back with
`khochung release rollback`. `vacuum`, `prune`: the last line names the table or folder.
"""


@dag(
    dag_id="maintenance",
    schedule=CronTriggerTimetable("0 3 * * *", timezone=TIMEZONE),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS | {"retries": 0},
    tags=["maintenance"],
    doc_md=DOC,
)
def maintenance() -> None:
    @task
    def vacuum() -> None:
        """VACUUM (ANALYZE) of the warehouse."""
        from khochung.ops import housekeeping
        from khochung.settings import Settings

        housekeeping.vacuum(Settings.from_environment())

    @task
    def verify_public() -> None:
        """Every published byte against its checksum."""
        from khochung.ops import housekeeping
        from khochung.settings import Settings

        housekeeping.verify_public(Settings.from_environment())

    @task
    def prune() -> None:
        """Logs and by-products older than 90 days."""
        from khochung.ops import housekeeping
        from khochung.settings import Settings

        print(f"{housekeeping.prune(Settings.from_environment())} files removed")

    vacuum()
    verify_public()
    prune()


maintenance()
