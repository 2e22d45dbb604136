"""The warehouse: one dbt invocation per layer, with the sources judged before anything is built on them."""

from airflow.sdk import AssetAll, AssetOrTimeSchedule, CronTriggerTimetable, dag, task
from common import DEFAULTS, OPEN_DATA, RAW, TIMEZONE

DOC = """
### Warehouse
**Purpose.** Builds staging, marts and the publishable relations with dbt from what the ledger says is new.
Woken when every source has delivered, and at 05:00 in any case.

**When it is red.** `staging`, `marts`, `open_data`: the last lines name the model or test; `ops.model_run` has them all.
`judge_sources`: a source's suite failed critically; the verdict is in `ops.verdict`. Marts keep their last good state.
`error_lists`: the agencies keep their last lists; clear the task when its cause is mended, nothing waits for it.
`decide` skipping is normal: nothing changed since the last good build.
"""


@dag(
    dag_id="warehouse",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 5 * * *", timezone=TIMEZONE), assets=AssetAll(*RAW.values())
    ),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS | {"retries": 0},
    tags=["warehouse"],
    doc_md=DOC,
)
def warehouse() -> None:
    @task.short_circuit(ignore_downstream_trigger_rules=False)
    def decide() -> bool:
        """False when no load, day or code has changed since the last good build."""
        from khochung import transform
        from khochung.settings import Settings

        return transform.pending(Settings.from_environment())

    @task
    def staging() -> int:
        """Open a build; clean, check and split what was loaded."""
        from khochung import transform
        from khochung.settings import Settings

        settings = Settings.from_environment()
        build = transform.begin(settings)
        transform.run_layer(settings, build, "staging")
        return build.build_id

    @task
    def judge_sources(build_id: int) -> int:
        """Run every source suite; stop here when one fails critically."""
        from khochung import gate, transform
        from khochung.errors import GateError
        from khochung.settings import Settings

        settings = Settings.from_environment()
        failed = [verdict.subject for verdict in gate.judge_sources(settings, build_id) if not verdict.passed]
        if failed:
            reason = f"sources not accepted: {', '.join(failed)}"
            transform.fail(settings, build_id, reason)
            raise GateError(f"{reason}; see ops.verdict of build {build_id}; marts are unchanged")
        return build_id

    @task
    def error_lists(build_id: int) -> None:
        """Write each agency's list of what it has to mend, also where its source is about to be turned down."""
        from khochung import transform
        from khochung.ops import agency_lists
        from khochung.settings import Settings

        settings = Settings.from_environment()
        counts = agency_lists.write(settings, transform.current(settings, build_id).as_of)
        print("\n".join(f"{agency}: {count:,} open issues" for agency, count in counts.items()))

    @task
    def marts(build_id: int) -> int:
        """Conform, link and build the star."""
        from khochung import transform
        from khochung.settings import Settings

        settings = Settings.from_environment()
        transform.run_layer(settings, transform.current(settings, build_id), "marts")
        return build_id

    @task
    def open_data(build_id: int) -> int:
        """Build the protected aggregates and close the build."""
        from khochung import transform
        from khochung.settings import Settings

        settings = Settings.from_environment()
        transform.run_layer(settings, transform.current(settings, build_id), "open_data")
        transform.finish(settings, build_id)
        return build_id

    @task(outlets=[OPEN_DATA], trigger_rule="none_failed")
    def announce() -> None:
        """Wake the publisher, also after a run with nothing to build: it asks the ledger what is unpublished."""

    built = open_data(marts(judge_sources(start := staging())))
    error_lists(start)
    decide() >> start
    built >> announce()


warehouse()
