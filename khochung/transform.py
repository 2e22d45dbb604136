"""dbt as a subprocess, one invocation per layer; what it did becomes rows in `ops`.

A subprocess, because concurrent dbt invocations in one process are unsafe and its memory must go back.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from khochung import access, contract, location, province, pseudonym, warehouse
from khochung.disclosure import withhold
from khochung.errors import KhoChungError
from khochung.settings import PROJECT, REPOSITORY, Settings

LAYERS = {
    # Who is who comes first: what two registers say differently of one person stands in the agencies' lists.
    "staging": [
        "--select",
        "resource_type:seed",
        "path:models/staging",
        "path:models/intermediate/person",
        "path:models/intermediate/civil",
        "path:models/quality",
    ],
    "marts": [
        "--select",
        "path:models/intermediate",
        "path:models/marts",
        "path:models/kpi",
        "--exclude",
        "path:models/intermediate/person",
        "path:models/intermediate/civil",
    ],
    "open_data": ["--select", "path:models/open_data"],
}
CODE = {
    PROJECT / "dbt_project": ("*.sql", "*.yml", "*.csv"),
    PROJECT / "expectations": ("*.json",),
    province.FOLDER: ("*.yml",),
    REPOSITORY / "khochung": ("*.py", "*.sql", "*.j2", "*.css"),
}
WORK_MEM = "256MB"  # of three sessions that sort and hash millions of rows; the server's own suits many small questions
COMMUNES = "admin"  # the source that lists the communes
_BAD = {"error", "fail", "runtime error", "partial success"}


class TransformError(KhoChungError):
    """A dbt model or test failed; the message names it."""


@dataclass(frozen=True)
class Build:
    """One pass over the warehouse: which loads it has seen, for which day, by which code."""

    build_id: int
    as_of: date
    loads_until: int


def code_sha256() -> str:
    """Hash of everything that decides what a build makes: the dbt project, this package, and whom it serves."""
    digest = hashlib.sha256(province.served().code.encode())
    for folder, patterns in CODE.items():
        for path in sorted(path for pattern in patterns for path in folder.rglob(pattern)):
            digest.update(str(path.relative_to(folder.parent)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def pending(settings: Settings) -> bool:
    """True when loads have changed rows, or the day, the code or a key, since the last good build.

    False while nothing was ever loaded.
    """
    with warehouse.connect(settings, "operator") as connection:
        row = connection.execute(
            """
            with newest as (
                select loads_until, as_of, code_sha256, pseudonym_check, noise_check from ops.build where status = 'succeeded'
                order by build_id desc limit 1
            )
            select exists (select from ops.load) and (
                not exists (select from newest)
                or exists (
                    select from ops.load, newest
                    where load_id > loads_until and inserted_rows + updated_rows + tombstoned_rows > 0
                )
                or (select code_sha256 from newest) <> %s
                or (select (pseudonym_check, noise_check) from newest) is distinct from row(%s::text, %s::text)
                or (select max(load.as_of) from ops.load) > (select newest.as_of from newest)
            )
            """,
            [code_sha256(), *_checks(settings)],
        ).fetchone()
    return bool(row and row[0])


def begin(settings: Settings) -> Build:
    """Open a build over all loads so far. A build that was killed is marked failed. Raises when nothing was loaded."""
    with warehouse.connect(settings, "operator") as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('khochung.build'))")
        connection.execute(
            "update ops.build set status = 'failed', finished_at = clock_timestamp(), message = 'ended without a word' "
            "where status = 'running'"
        )
        seen = connection.execute("select max(load_id), max(as_of) from ops.load").fetchone()
        if seen is None or seen[0] is None:
            raise TransformError("nothing was loaded yet: run the ingest DAGs first")
        row = connection.execute(
            "insert into ops.build (as_of, loads_until, code_sha256, pseudonym_check, noise_check) "
            "values (%s, %s, %s, %s, %s) returning build_id",
            [seen[1], seen[0], code_sha256(), *_checks(settings)],
        ).fetchone()
    return Build(row[0] if row else 0, seen[1], seen[0])


def _checks(settings: Settings) -> tuple[str, str]:
    """Marks of the two keys that a build is made with."""
    return pseudonym.check(settings), pseudonym.check(settings, pseudonym.NOISE)


def finish(settings: Settings, build_id: int) -> None:
    """Close a build whose every layer succeeded."""
    with warehouse.connect(settings, "operator") as connection:
        connection.execute(
            "update ops.build set status = 'succeeded', finished_at = clock_timestamp() where build_id = %s", [build_id]
        )
    # Only now: a build that fails leaves to the next one what has changed since the last good one.
    with warehouse.connect(settings, "transformer") as connection:
        connection.execute("truncate staging.changed_key")


def fail(settings: Settings, build_id: int, reason: str) -> None:
    """Close a build that came to grief; nothing is published from it."""
    with warehouse.connect(settings, "operator") as connection:
        connection.execute(
            "update ops.build set status = 'failed', finished_at = clock_timestamp(), message = %s where build_id = %s",
            [reason, build_id],
        )


def current(settings: Settings, build_id: int) -> Build:
    """The build `build_id`. Raises TransformError when it is unknown."""
    with warehouse.connect(settings, "operator") as connection:
        row = connection.execute(
            "select build_id, as_of, loads_until from ops.build where build_id = %s", [build_id]
        ).fetchone()
    if row is None:
        raise TransformError(f"no build {build_id} in ops.build")
    return Build(*row)


def unpublished(settings: Settings) -> Build | None:
    """The newest good build, when it has not been through the gate yet, or since then somebody has decided something or an
    embargo has ended."""
    build = last_good_build(settings)
    if build is None:
        return None
    with warehouse.connect(settings, "operator") as connection:
        done = connection.execute(
            "select from ops.publication where build_id = %s and (again_at is null or again_at > now()) "
            "and published_at > coalesce((select max(decided_at) from ops.approval), '-infinity')",
            [build.build_id],
        ).fetchone()
    return None if done is not None else build


def last_good_build(settings: Settings) -> Build | None:
    """The newest build, when it succeeded. None before the first, or while the newest is running or failed."""
    with warehouse.connect(settings, "operator") as connection:
        row = connection.execute(
            "select build_id, as_of, loads_until, status from ops.build order by build_id desc limit 1"
        ).fetchone()
    return Build(*row[:3]) if row and row[3] == "succeeded" else None


def run_layer(settings: Settings, build: Build, layer: str) -> None:
    """`dbt build` of one layer without unit tests. Records every node; raises TransformError naming what failed.

    After the last layer grants, row policies and owners are looked at: AccessError when they are not as declared.
    """
    if layer == "staging":
        location.update(settings)
    if layer == "open_data":
        withhold.choose(settings, build.build_id)
    target = settings.artefacts / "dbt" / layer
    seen = _loads_seen(settings, build)
    arguments = ["build", *LAYERS[layer], "--exclude-resource-type", "unit_test"]
    parsed = settings.artefacts / "dbt" / next(iter(LAYERS)) / "partial_parse.msgpack"
    if target != parsed.parent and parsed.exists():
        # The project is that of the first layer: nothing is left to parse.
        arguments += ["--partial-parse-file-path", str(parsed)]
    # Seeds are code: they are as the last build left them while it goes on from there.
    arguments += ["--full-refresh"] if seen is None else ["--exclude-resource-type", "seed"]
    status = dbt(settings, arguments, target, _values(build, seen))
    failures = _record(settings, build, layer, target / "run_results.json")
    if failures or status != 0:
        detail = "\n".join(failures) or f"dbt ended with status {status}; its log is in {settings.logs.name}/dbt/"
        fail(settings, build.build_id, detail)
        raise TransformError(f"layer {layer} of build {build.build_id} failed:\n{detail}")
    if layer == list(LAYERS)[-1]:
        _verify_access(settings, build, target / "manifest.json")


def _verify_access(settings: Settings, build: Build, declared: Path) -> None:
    try:
        access.verify(settings, json.loads(declared.read_text(encoding="utf-8")))
    except access.AccessError as error:
        fail(settings, build.build_id, str(error))
        raise


def dbt(settings: Settings, arguments: Iterable[str], target: Path, values: Mapping[str, str] | None = None) -> int:
    """Run dbt with the warehouse's address in its environment, and `values`; its output goes to ours.

    Returns its exit status.
    """
    target.mkdir(parents=True, exist_ok=True)
    (target / "run_results.json").unlink(missing_ok=True)  # a stale one must not pass for this run's
    command = [str(Path(sys.executable).parent / "dbt"), "--no-use-colors", *arguments]
    places = ["--project-dir", str(settings.dbt_project), "--profiles-dir", str(settings.dbt_project)]
    places += ["--target-path", str(target), "--log-path", str(settings.logs / "dbt")]
    given = {**environment(settings), **(values or {})}
    done = subprocess.run([*command, *places], env=given, cwd=REPOSITORY, check=False)
    return done.returncode


def document(settings: Settings) -> Path:
    """dbt's documentation of the warehouse as it stands: one HTML file. Raises TransformError."""
    target = settings.artefacts / "docs"
    if dbt(settings, ["--quiet", "docs", "generate", "--static"], target) != 0:
        raise TransformError(f"dbt docs generate failed; its log is in {settings.logs.name}/dbt/")
    return target / "static_index.html"


def manifest(settings: Settings) -> dict[str, Any]:
    """dbt's manifest of the project: every model, test and source as declared. Needs no database. Raises TransformError."""
    target = settings.artefacts / "manifest"
    if dbt(settings, ["--quiet", "parse"], target) != 0:
        raise TransformError(f"dbt parse failed; its log is in {settings.logs.name}/dbt/")
    found: dict[str, Any] = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    return found


def environment(settings: Settings) -> dict[str, str]:
    """What the dbt project reads: the warehouse's address for the transformer role, the province that is served, the
    tables of all contracts, the texts that mean "nothing was said" in their columns, and for its sessions the keys
    of pseudonyms and noise. Where there is none, what needs it fails in the database."""
    keywords = warehouse.parameters(settings, "transformer")
    return os.environ | {
        "KHOCHUNG_DBT_HOST": keywords["host"],
        "KHOCHUNG_DBT_PORT": keywords.get("port", "5432"),
        "KHOCHUNG_DBT_DATABASE": keywords["dbname"],
        "KHOCHUNG_DBT_USER": keywords["user"],
        "KHOCHUNG_DBT_PASSWORD": keywords.get("password", ""),
        "KHOCHUNG_DBT_PROVINCE": province.served().for_dbt(),
        "KHOCHUNG_DBT_TABLES": " ".join(
            f"{table.source}.{table.name}" for source in contract.sources().values() for table in source.tables
        ),
        "KHOCHUNG_DBT_MISSING": json.dumps(
            {
                table.relation: {column.name: [*source.missing, *column.missing] for column in table.columns}
                for source in contract.sources().values()
                for table in source.tables
            }
        ),
        "PGOPTIONS": f"{pseudonym.connection_options(settings)} -c work_mem={WORK_MEM}".strip(),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def _loads_seen(settings: Settings, build: Build) -> int | None:
    """The loads that the last good build had seen: incremental models start from there. None: they start afresh.

    They do so when a later build, even one that failed, was of other code, key or a later day than this one, since it may
    have left its rows in them; when the list of communes has changed, by which every address is read; and in a new year,
    by which a number may be that of somebody born.
    """
    with warehouse.connect(settings, "operator") as connection:
        row = connection.execute(
            """
            with now as (select * from ops.build where build_id = %s),
            good as (
                select build.* from ops.build, now
                where build.status = 'succeeded' and build.build_id < now.build_id
                order by build.build_id desc limit 1
            )
            select good.loads_until from good, now
            where
                extract(year from good.as_of) = extract(year from now.as_of)
                and not exists (
                    select from ops.build as between_them
                    where
                        between_them.build_id >= good.build_id and between_them.build_id < now.build_id
                        and (
                            between_them.code_sha256 <> now.code_sha256 or between_them.as_of > now.as_of
                            or between_them.pseudonym_check is distinct from now.pseudonym_check
                            or between_them.noise_check is distinct from now.noise_check
                        )
                )
                and not exists (
                    select from ops.load
                    where
                        load_id > good.loads_until and source_name = %s
                        and inserted_rows + updated_rows + tombstoned_rows > 0
                )
            """,
            [build.build_id, COMMUNES],
        ).fetchone()
    return row[0] if row else None


def _values(build: Build, seen: int | None) -> dict[str, str]:
    """What a build says of itself to dbt: macro `of_build`. Its variables would have every file parsed with each build."""
    values = {"as_of": build.as_of.isoformat(), "build_id": build.build_id, "loads_seen": -1 if seen is None else seen}
    return {f"KHOCHUNG_BUILD_{name.upper()}": str(value) for name, value in values.items()}


def _record(settings: Settings, build: Build, layer: str, results: Path) -> list[str]:
    """Rows in ops.model_run for every node; returns one line per node that failed."""
    if not results.exists():
        return []
    nodes: list[dict[str, Any]] = json.loads(results.read_text(encoding="utf-8"))["results"]
    with warehouse.connect(settings, "operator") as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.model_run (build_id, layer, node, resource_type, status, seconds, rows_affected, message) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [_row(build, layer, node) for node in nodes],
        )
    return [f"  {node['unique_id']}: {node['message']}" for node in nodes if node["status"] in _BAD]


def _row(build: Build, layer: str, node: dict[str, Any]) -> tuple[Any, ...]:
    affected = (node.get("adapter_response") or {}).get("rows_affected")
    kind = node["unique_id"].split(".")[0]
    return (
        build.build_id, layer, node["unique_id"], kind, node["status"], node["execution_time"], affected, node["message"],
    )  # fmt: skip
