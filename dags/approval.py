"""Somebody's consent: a dataset's first release, another schema or policy, or a lowered suite waits for a person."""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task, task_group
from common import APPROVAL, APPROVED, DEFAULTS, TIMEZONE

A_DAY = timedelta(days=1)
APPROVE = "Approve"
DOC = """
### Approval
**Purpose.** Asks, under *Required Actions*, whether each dataset that waits may go out as it is declared now, and records the
answer with who gave it. Whoever made the change cannot decide. `khochung approve` does the same on the command line.

**When it is red.** `ask`: nobody has answered for a day; it is asked again. `note`: the last line says why the answer does
not count (the one who made the change gave it, or the declaration has changed meanwhile). `waiting` skipping is normal.
"""


@dag(
    dag_id="approval",
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 8 * * *", timezone=TIMEZONE), assets=APPROVAL),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS | {"retries": 0},
    tags=["open-data"],
    doc_md=DOC,
)
def approval() -> None:
    @task
    def waiting() -> list[dict[str, str]]:
        """What somebody has to look at; the rest is skipped when that is nothing."""
        from khochung import approvals
        from khochung.settings import Settings

        return [request.for_airflow() for request in approvals.to_ask(Settings.from_environment())]

    @task(outlets=[APPROVED])
    def note(slug: str, sha256: str, given: dict[str, Any]) -> None:
        """Record the answer, and wake the release."""
        from khochung import approvals
        from khochung.settings import Settings

        by = (given["responded_by_user"] or {}).get("name", "")
        made = approvals.answer(
            Settings.from_environment(),
            slug,
            "approved" if given["chosen_options"] == [APPROVE] else "refused",
            by,
            "airflow",
            sha256,
        )
        print(f"{slug}: {made.decision} by {made.decided_by}")

    @task_group(prefix_group_id=False)
    def each(slug: str, sha256: str, subject: str, body: str) -> None:
        asked = HITLOperator(
            task_id="ask", subject=subject, body=body, options=[APPROVE, "Refuse"], response_timeout=A_DAY
        )
        note(slug, sha256, asked.output)

    each.expand_kwargs(waiting())


approval()
