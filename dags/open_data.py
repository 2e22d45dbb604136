"""The gate and the release: datasets are judged, and only those with a passed verdict of this build go out."""

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task
from common import APPROVAL, APPROVED, DEFAULTS, OPEN_DATA, PUBLIC, TIMEZONE

DOC = """
### Open data
**Purpose.** Judges every published dataset of the newest build and releases those that pass, as an immutable version each,
behind one atomic pointer (`public/`). A dataset without a passed verdict keeps its last version and is shown as held; one that
waits for somebody's consent wakes the DAG `approval`, and goes out when it is given.

**When it is red.** `nothing_held`: a dataset was held; the log names it and why, and so does the public page.
`judge` or `release`: the last line says what to do; the public tree is unchanged. `ask_somebody`: nobody has been asked for
consent; clear it. `decide` and `ask_somebody` skipping is normal.
"""


@dag(
    dag_id="open_data",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 * * * *", timezone=TIMEZONE), assets=OPEN_DATA | APPROVED
    ),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS | {"retries": 0},
    tags=["open-data"],
    doc_md=DOC,
)
def open_data() -> None:
    @task.short_circuit
    def decide() -> bool:
        """False when the newest good build has been through the gate, and nobody has decided anything since."""
        from khochung import transform
        from khochung.settings import Settings

        return transform.unpublished(Settings.from_environment()) is not None

    @task
    def judge() -> int:
        """Record a verdict for every dataset of the build."""
        from khochung import gate, transform
        from khochung.errors import GateError
        from khochung.settings import Settings

        settings = Settings.from_environment()
        build = transform.unpublished(settings)
        if build is None:
            raise GateError("no good build waits: a new one has begun; this run can be cleared when it is done")
        for verdict in gate.judge_datasets(settings, build.build_id):
            print(f"{verdict.subject}: {'passed' if verdict.passed else 'FAILED'}")
        return build.build_id

    @task(outlets=[PUBLIC])
    def release(build_id: int) -> list[str]:
        """Publish what passed; returns the held datasets."""
        from khochung import publication
        from khochung.settings import Settings

        return publication.release_build(Settings.from_environment(), build_id)

    @task
    def nothing_held(held: list[str]) -> None:
        """Red when a dataset was held, so that somebody looks."""
        from khochung.errors import GateError

        if held:
            raise GateError("held, their last version stays public: " + "; ".join(held))

    @task(outlets=[APPROVAL])
    def ask_somebody() -> None:
        """Wake the DAG `approval`; skipped when nobody has to look at anything that a demonstration does not decide."""
        from airflow.sdk.exceptions import AirflowSkipException

        from khochung import approvals
        from khochung.settings import Settings

        if not approvals.to_ask(Settings.from_environment()):
            raise AirflowSkipException("nobody has to be asked")

    judged = judge()
    decide() >> judged
    judged >> ask_somebody()
    nothing_held(release(judged))


open_data()
