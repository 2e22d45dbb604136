"""One DAG per source, made from its contract: land each table, load each landed file, tell the warehouse."""

from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, dag, get_current_context, task
from common import DEFAULTS, RAW, TIMEZONE

from khochung import contract

DOC = """
### Ingest {title} (`{name}`)
**Purpose.** Pulls {tables} from *{agency}* through the `{connector}` connector into immutable Parquet, and merges it into
`raw.{name}__*` in one transaction per table. Contract: `dbt_project/models/staging/{name}/_{name}__sources.yml`.

**When it is red.** Read the last line of the failed task: it names the table, what was found and the remedy. `extract` red:
the source is unreachable (three tries), refuses our credentials, or broke the contract (`khochung source check {name}`).
`load` red: a guard fired or the counts do not add up; the warehouse is unchanged. Clear the task when the cause is gone.

**Backfill.** `airflow backfill create --dag-id ingest__{name} --from-date … --to-date …` reads the days of its ticks once more:
rows last changed on them (cursor), files dated from them on (append); a snapshot has no days. The watermark does not move
back and nothing is doubled. Every other run reads from the watermark on to the business day. What has landed is loaded again
without the source by `khochung replay {name}`.

**Promise.** Fresh within {hours} hours.
"""


def _label(name: str) -> None:
    get_current_context()["table"] = name


def ingest_dag(source: contract.Source) -> DAG:
    """The DAG `ingest__<source>`: `extract` and `load` mapped over the contract's tables, then `announce`."""
    document = DOC.format(
        name=source.name,
        title=source.title_vi,
        agency=source.owner_agency,
        connector=source.connector,
        hours=source.fresh_within_hours,
        tables=", ".join(f"`{table.name}`" for table in source.tables),
    )

    @dag(
        dag_id=f"ingest__{source.name}",
        schedule=CronTriggerTimetable(source.schedule, timezone=TIMEZONE),
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS | {"pool": f"source_{source.name}"},
        tags=["ingest", source.connector],
        doc_md=document,
    )
    def ingest() -> None:
        @task(map_index_template="{{ table }}")
        def extract(name: str) -> list[str]:
            """Land what waits at the source; returns manifests, relative to the landing folder."""
            from khochung import ingest
            from khochung.settings import Settings

            _label(name)
            settings = Settings.from_environment()
            declared = contract.source(source.name)
            table, run = declared.table(name), get_current_context()["dag_run"]
            days = ingest.days_of_run(run.run_type, run.logical_date, declared.schedule)
            if days:
                manifests = ingest.extract_again(settings, declared, table, *days)
            else:
                manifests = ingest.extract(settings, declared, table, settings.business_date())
            return [str(path.relative_to(settings.landing)) for path in manifests]

        @task(map_index_template="{{ table }}")
        def load(manifests: list[str]) -> dict[str, Any]:
            """Merge each landed file, oldest first, one transaction each."""
            from khochung import landing, load
            from khochung.settings import Settings

            settings = Settings.from_environment()
            _label(manifests[0].split("/")[1] if manifests else "nothing new")
            changed = 0
            for manifest in manifests:
                counts = load.load(settings, settings.landing / manifest)
                print(f"{manifest}: {counts or 'loaded before'}")
                if unknown := landing.read_manifest(settings.landing / manifest).unknown_fields:
                    print(f"fields not in the contract, kept in landing: {', '.join(unknown)}")
                changed += counts.changed if counts else 0
            return {"files": len(manifests), "changed": changed}

        @task(outlets=[RAW[source.name]])
        def announce(loads: list[dict[str, Any]]) -> None:
            """Wake the warehouse. What is new it asks of the ledger."""
            print(f"{sum(item['changed'] for item in loads)} rows changed")

        announce(load.expand(manifests=extract.expand(name=[table.name for table in source.tables])))

    return ingest()


for declared_source in contract.sources().values():
    globals()[f"ingest__{declared_source.name}"] = ingest_dag(declared_source)
