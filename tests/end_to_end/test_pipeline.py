"""The main job as a user has it: `khochung run` through the real scheduler, again, a day later, and after a kill."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import psycopg
import pytest
from conftest import AS_OF, NEXT_DAY, Installation
from state import released, rows_by_table, versions

from khochung import contract, postgres
from khochung.disclosure.attack import attack
from khochung.ops import agency_lists
from khochung.release.verify import verify
from khochung.settings import REPOSITORY
from tests.every_byte import traces

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="session", autouse=True)
def undisturbed(province: Installation) -> tuple[dict[str, tuple[int, str]], dict[str, str]]:
    """What the first run has made, before a later day: rows by table, and public files."""
    return rows_by_table(province), released(province)


def airflow_runs(installation: Installation) -> list[tuple[str, str]]:
    with psycopg.connect(postgres.admin_dsn(installation.settings, "airflow")) as connection:
        return connection.execute("select dag_id, state from dag_run").fetchall()


def test_every_dag_run_succeeds_and_every_dataset_is_public(province: Installation) -> None:
    runs = airflow_runs(province)
    assert {state for _, state in runs} == {"success"}, runs
    assert {dag_id for dag_id, _ in runs} >= {f"ingest__{name}" for name in contract.sources()} | {
        "warehouse",
        "open_data",
    }
    assert set(versions(province)) == set(contract.datasets())
    assert len(contract.datasets()) >= 8
    assert set(versions(province).values()) == {"2025.9.0"}
    verify(province.settings.public.resolve())


def test_what_the_sources_count_is_loaded_or_set_aside(province: Installation) -> None:
    ledger = province.ask(
        "select source_name, table_name, source_rows, extracted_rows, refused_rows + duplicate_rows + inserted_rows "
        "+ updated_rows + unchanged_rows from ops.load"
    )
    assert {(source, table) for source, table, *_ in ledger} == {
        (table.source, table.name) for source in contract.sources().values() for table in source.tables
    }
    assert all(extracted >= counted and extracted == sorted_out for *_, counted, extracted, sorted_out in ledger)
    unbalanced = province.ask(
        "select * from quality.reconciliation where current_rows <> accepted_rows + quarantined_rows"
    )
    assert unbalanced == []
    held = dict(province.ask("select source_name || '.' || table_name, current_rows from quality.reconciliation"))
    for source in contract.sources().values():
        for table in source.tables:
            ((raw,),) = province.ask(f"select count(*) from raw.{table.relation} where _deleted_at is null")
            assert held[f"{source.name}.{table.name}"] == raw > 0


def injected(installation: Installation) -> list[dict[str, str]]:
    with (installation.settings.home / "simulator" / "injected_defects.csv").open(
        encoding="utf-8", newline=""
    ) as stream:
        return list(csv.DictReader(stream))


def test_every_injected_defect_is_caught_with_its_code(province: Installation) -> None:
    caught = Counter(
        province.ask("select source_name, table_name, record_key, issue_code from quality.issue")
    ) + Counter(province.ask("select source_name, table_name, coalesce(record_key, ''), code from raw.refused"))
    planted = injected(province)
    assert len({defect["code"] for defect in planted}) == 33
    missed = [
        defect
        for defect in planted
        if defect["code"] != "KEY_MISSING"
        and (defect["source"], defect["table"], defect["record_key"], defect["code"]) not in caught
    ]
    assert missed == []
    without_key = Counter((defect["source"], defect["table"]) for defect in planted if defect["code"] == "KEY_MISSING")
    refused = province.ask(
        "select source_name, table_name, count(*) from raw.refused where code = 'KEY_MISSING' group by 1, 2"
    )
    assert {(source, table): count for source, table, count in refused} == dict(without_key)


def test_a_dossier_share_agrees_with_the_published_figure(province: Installation) -> None:
    ((received, online),) = province.ask(
        """
        select count(*), count(*) filter (where fact.is_online)
        from marts.fct_dossier as fact join marts.dim_agency as agency using (agency_key)
        where agency.former_province = '80' and fact.is_received
        and fact.received_on between '2024-01-01' and '2024-03-14'
        """
    )
    assert (received, online) == (640, 630)  # round(64,022 / 100) and round(62,968 / 100)


def test_published_figures_are_worked_out_from_records(province: Installation) -> None:
    found = {item["code"]: item for item in json.loads(province.command("figures", "--json").stdout)}
    assert {code for code, item in found.items() if item["province"] == "93"} == {
        "commune_dossiers_online_share", "vneid_level2_share", "digital_teams_hau_giang", "digital_team_members_hau_giang",
    }  # fmt: skip
    assert all(item["computed"] is None for item in found.values() if item["province"] == "93")
    assert found["dossiers_online_share_2024_03_14"]["computed"] == round(100 * 630 / 640, 2)
    # The catalogue of procedures is whole at every scale.
    for code in ("procedures_online_share_2024_03_14", "services_full_online", "services_partly_online"):
        assert found[code]["within_rounding"] is True
    assert found["par_index"].pop("note") == "taken over as published"
    assert found["par_index"].pop("source").startswith("Bộ Nội vụ; ")
    assert found["par_index"] == {
        "code": "par_index", "kind": "reported", "province": "80", "published": 89.22, "computed": None,
        "difference": None, "within_rounding": None, "metric_version": None, "disagrees_with": [],
    }  # fmt: skip
    (other,) = found["digital_economy_grdp_target_2025"]["disagrees_with"]
    assert (other["code"], other["rule"]) == ("digital_economy_grdp_target_2025_plan", "same moment")


@pytest.mark.parametrize(
    ("role", "allowed"), [("publisher", {"open_data", "released"}), ("analyst", {"open_data", "kpi", "marts"})]
)
def test_a_role_reads_its_layer_and_nothing_else(province: Installation, role: str, allowed: set[str]) -> None:
    relations = province.ask(
        "select schemaname, relname from pg_stat_user_tables union select schemaname, viewname from pg_views "
        "where schemaname not in ('pg_catalog', 'information_schema')"
    )
    readable = {
        schema
        for schema, name in relations
        if province.ask(f"select has_table_privilege('khochung_{role}', '{schema}.\"{name}\"', 'select')")[0][0]
        and province.ask(f"select has_schema_privilege('khochung_{role}', '{schema}', 'usage')")[0][0]
    }
    assert readable == allowed
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        province.ask("select * from raw.population__resident limit 1", role)  # type: ignore[arg-type]


def public_text(root: Path) -> str:
    texts = [
        path.read_text(encoding="utf-8")
        for path in root.rglob("*")
        if path.suffix in (".csv", ".json", ".html", ".jsonld")
    ]
    return "\n".join(texts)


def test_nothing_personal_is_public(province: Installation) -> None:
    """Identifiers, telephones, full names and addresses of every generated person, against every public byte."""
    text = public_text(province.settings.public.resolve())
    numbers = set(re.findall(r"(?<![0-9a-f])[0-9]{9,12}(?![0-9a-f])", text))
    private = {
        value
        for (value,) in province.ask(
            """
            select personal_id from raw.population__resident union select old_id_card from raw.population__resident
            union select phone from raw.population__resident union select applicant_id from raw.procedures__dossier
            union select phone from raw.procedures__dossier union select so_dinh_danh from raw.land__land_right
            union select owner_id from raw.business__household_business
            union select representative_id from raw.business__enterprise
            """
        )
        if value
    }
    assert len(private) > 10_000
    assert not numbers & private
    words = {
        value
        for (value,) in province.ask(
            """
            select surname || ' ' || middle_name || ' ' || given_name from raw.population__resident
            union select applicant_name from raw.procedures__dossier union select ten_chu from raw.land__land_right
            union select owner_name from raw.business__household_business
            union select representative_name from raw.business__enterprise
            union select permanent_detail from raw.population__resident union select dia_chi from raw.land__parcel
            """
        )
        if value and len(value) > 8
    }
    cells = set(re.split(r'[",\n<>;|]', text))
    assert not {cell.strip() for cell in cells} & words


def test_the_canary_left_no_trace(province: Installation) -> None:
    """The simulator's person like no other, in every byte of every version, whatever it is packed in."""
    ((record, personal, card, phone, household, name),) = province.ask(
        """
        select record_id, personal_id, old_id_card, phone, household_no, surname || ' ' || middle_name || ' ' || given_name
        from raw.population__resident where surname = 'Khướu'
        """
    )
    assert name == "Khướu Bạc Má Vàng Anh"
    texts = {
        record,
        personal,
        household,
        name,
        "Khướu",
        "Bạc Má",
        "1913-06-15",
        "15/06/1913",
        *filter(None, (card, phone)),
    }
    assert traces(province.settings.public.resolve(), texts) == []


def test_an_attacker_learns_nothing(province: Installation) -> None:
    found = attack(province.settings.public.resolve())
    assert found.withheld > 100
    assert found.leaks == ()


def test_every_agency_has_the_list_of_its_open_issues_and_nobody_is_in_it(province: Installation) -> None:
    expected = dict(
        province.ask("select agency, count(*) from quality.issue where closed_at is null group by 1", "operator")
    )
    slugs = agency_lists.slugs({source.owner_agency for source in contract.sources().values()})
    assert set(expected) <= set(slugs)
    people = {
        value
        for (value,) in province.ask(
            "select personal_id from raw.population__resident union select phone from raw.population__resident "
            "union select applicant_id from raw.procedures__dossier where applicant_type = '1' "
            "union select applicant_name from raw.procedures__dossier union select ten_chu from raw.land__land_right"
        )
    }
    for agency, slug in slugs.items():
        path = province.settings.internal / "agencies" / slug / f"{agency_lists.NAME}.csv"
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))[1:]
        assert len(rows) == expected.get(agency, 0), agency
        assert not {cell for row in rows for cell in row} & people, agency


def test_running_again_changes_nothing(province: Installation) -> None:
    rows, files, releases = rows_by_table(province), released(province), sorted(province.settings.releases.iterdir())
    province.run()
    assert rows_by_table(province) == rows
    assert released(province) == files
    assert sorted(province.settings.releases.iterdir()) == releases
    assert {state for _, state in airflow_runs(province)} == {"success"}


def test_a_day_later_only_what_changed_is_new(province: Installation, tmp_path: Path) -> None:
    before = versions(province)
    held = dict(province.ask("select source_name || '.' || table_name, max(load_id) from ops.load group by 1"))
    first = max(held.values())
    province.run(NEXT_DAY)
    changed = province.ask(
        f"select source_name || '.' || table_name, inserted_rows + updated_rows + tombstoned_rows, current_rows "
        f"from ops.load where load_id > {first}"
    )
    assert sum(count for _, count, _ in changed) > 0
    assert all(count <= max(20, 0.02 * current) for _, count, current in changed), changed
    after = versions(province)
    assert after["danh-muc-tthc"] == before["danh-muc-tthc"]
    assert any(version.startswith("2025.10.") for version in after.values())
    old = {path: digest for path, digest in released(province).items() if "/v/2025.9.0/" in path}
    assert {path.split("/")[1] for path in old} == set(before), "an earlier version disappeared"


def kill_all(installation: Installation) -> None:
    """The machine loses power: every process at once, PostgreSQL included."""
    home = str(installation.settings.home)
    for process in psutil.process_iter(["cmdline", "environ"]):
        own = (process.info["environ"] or {}).get("KHOCHUNG_HOME") == home
        if process.pid != os.getpid() and (own or home in " ".join(process.info["cmdline"] or [])):
            process.send_signal(signal.SIGKILL)
    time.sleep(1)


def start_and_kill(installation: Installation, sign: str, database: str = "warehouse") -> None:
    """Start a run and kill everything as soon as the query `sign` has a row."""
    process = subprocess.Popen(
        [sys.executable, "-m", "khochung.cli", "run"], env=installation.environment | {"AS_OF": AS_OF}, cwd=REPOSITORY,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with psycopg.connect(postgres.admin_dsn(installation.settings, database)) as connection:
                if connection.execute(sign).fetchone() is not None:
                    break
        except psycopg.Error:
            pass  # the server or the table is not there yet
        time.sleep(0.05)
    assert process.poll() is None, f"the run ended before it could be killed at: {sign}"
    kill_all(installation)
    process.wait()


def test_after_a_kill_at_any_stage_the_next_run_gives_the_same(
    tmp_path_factory: pytest.TempPathFactory, undisturbed: tuple[dict[str, tuple[int, str]], dict[str, str]]
) -> None:
    """Killed in the middle of loading, then in the middle of building, then after the build: as if nothing had been."""
    fresh = Installation.at(tmp_path_factory.mktemp("killed"))
    try:
        start_and_kill(fresh, "select from ops.load where source_name = 'population'")
        start_and_kill(fresh, "select from ops.model_run where layer = 'staging'")
        fresh.run()
        assert (rows_by_table(fresh), released(fresh)) == undisturbed
    finally:
        fresh.command("stop")
