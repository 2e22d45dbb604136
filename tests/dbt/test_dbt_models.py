"""What the dbt project makes of the hand-made province. Its own unit and data tests run inside the build."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import yaml
from dbt_fixture import run

from khochung import contract
from khochung.settings import REPOSITORY, Settings

Query = Callable[..., list[tuple[Any, ...]]]


def test_issues_name_field_code_and_severity(query: Query) -> None:
    """Those of the first sources; later ones are told of in their own tests."""
    found = query(
        "select source_name || '.' || table_name, record_key, field, issue_code, severity from quality.issue "
        "where source_name in ('admin', 'business', 'land', 'population', 'procedures') order by 1, 2, 4"
    )
    assert set(found) == {
        ("business.enterprise", "1100000012", "main_industry", "CODE_LEADING_ZERO_LOST", "warning"),
        ("business.enterprise", "1100000037", "main_industry", "CODE_LEADING_ZERO_LOST", "warning"),
        ("business.household_business", "50A8000001", "owner_id", "ID_LEADING_ZERO_LOST", "warning"),
        ("land.parcel", "00000000-0000-0000-0000-000000000001", "x_north", "AXES_SWAPPED", "warning"),
        (
            "land.parcel",
            "00000000-0000-0000-0000-000000000001",
            "dien_tich_phap_ly",
            "NUMBER_FORMAT",
            "warning",
        ),
        ("land.parcel_use", "00000000-0000-0000-0000-00000000000b", "loai_dat", "CODE_SUPERSEDED", "info"),
        (
            "land.parcel_use",
            "00000000-0000-0000-0000-00000000000c",
            "thua_dat_id",
            "REFERENCE_MISSING",
            "critical",
        ),
        ("population.event", "BD3", "record_id", "REFERENCE_MISSING", "critical"),
        ("population.resident", "DC040", "personal_id", "ID_MALFORMED", "warning"),
        ("population.resident", "DC041", "personal_id", "ID_LEADING_ZERO_LOST", "warning"),
        ("population.resident", "DC042", "permanent_commune", "CODE_UNKNOWN", "critical"),
        ("population.resident", "DC043", "birth_date", "DATE_MALFORMED", "warning"),
        ("population.resident", "DC043", "surname", "LEGACY_LETTER", "info"),
        ("procedures.dossier", "H39.31-250625-0002", "agency_code", "CODE_SUPERSEDED", "info"),
        ("procedures.dossier", "H39.12-20250804-0000021", "agency_code", "CODE_UNKNOWN", "critical"),
        ("procedures.dossier", "H39.12-20250804-0000022", "received_at", "DATE_MALFORMED", "critical"),
    }


def test_issue_log_shows_no_identifier(query: Query) -> None:
    shown: dict[str, str] = dict(query("select issue_code || ' ' || field, masked_value from quality.issue"))
    assert shown["ID_LEADING_ZERO_LOST personal_id"] == "11 ký tự"
    assert shown["LEGACY_LETTER surname"] == "4 ký tự"
    assert shown["CODE_UNKNOWN permanent_commune"] == "#####"
    assert shown["CODE_SUPERSEDED loai_dat"] == "LNK"


def test_issues_go_to_the_owner_of_the_source(query: Query) -> None:
    owners: dict[str, str] = dict(query("select distinct source_name, agency from quality.issue"))
    assert owners == {name: contract.source(name).owner_agency for name in owners}


def test_residents_of_a_reused_code_are_counted_in_both_communes(query: Query) -> None:
    stock = query(
        "select month_end::text, commune_key, sum(residents) from marts.fct_resident_month "
        "where commune_key like '27694%' and month_end in ('2025-06-30', '2025-07-31', '2025-08-31') group by 1, 2 order by 1"
    )
    # 12 men, 9 women, and 40, 41, 43, 45; in August one is born and one dies.
    assert stock == [("2025-06-30", "27694@2004-01-01", 25), ("2025-07-31", "27694@2025-07-01", 25),
                     ("2025-08-31", "27694@2025-07-01", 25)]  # fmt: skip


def test_dossiers_follow_the_press_formula(query: Query) -> None:
    cell = query(
        "select sum(received), sum(received_online), sum(settled), sum(settled_on_time), "
        "kpi.rate(sum(settled_on_time), sum(settled)) from marts.fct_dossier_month where month_start = '2025-08-01'"
    )
    assert [tuple(map(float, row)) for row in cell] == [(20, 20, 11, 10, 90.91)]


def test_land_of_a_divided_commune_stays_whole_in_the_present(query: Query) -> None:
    uses = query(
        "select land_type, value, parcels, commune_code from intermediate.int_disclosure__land_use_by_commune order by 1"
    )
    assert [(kind, float(area), parcels) for kind, area, parcels, _ in uses] == [
        ("CLN", 0.12, 1),
        ("ONT", 0.03, 1),
    ]
    assert {code for *_, code in uses} <= {"28036", "27694"}


def test_areas_of_single_holders_are_withheld(query: Query) -> None:
    assert (
        query("select area_ha, parcels, area_ha_suppressed, parcels_suppressed from open_data.land_use_by_commune")
        == [(None, None, True, True)] * 2
    )


def test_enterprises_in_operation_leave_out_the_dissolved(query: Query) -> None:
    assert query("select commune_code, section, enterprises from open_data.enterprises_in_operation") == [
        ("27694", "A", 1)
    ]


def test_crosswalk_covers_the_former_communes(query: Query) -> None:
    assert query("select count(distinct (old_code, old_valid_from)) from open_data.administrative_unit_crosswalk") == [
        (282,)
    ]
    assert query("select count(*) from open_data.administrative_units where is_present and level_code = 'XA'") == [
        (96,)
    ]


def test_analyst_sees_facts_and_publisher_only_open_data(query: Query) -> None:
    assert query("select count(*) > 0 from marts.fct_dossier", "analyst") == [(True,)]
    assert query("select count(*) > 0 from open_data.administrative_units", "publisher") == [(True,)]
    for role, relation in (
        ("analyst", "staging.base_population__resident"), ("analyst", "intermediate.int_population__spell"),
        ("analyst", "quality.issue"), ("publisher", "marts.fct_dossier"),
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(f"select 1 from {relation}", role)


def test_no_mart_carries_a_column_that_identifies(query: Query) -> None:
    hidden = {
        column.name
        for source in contract.sources().values() for table in source.tables for column in table.columns
        if column.privacy in ("identifier", "sensitive")
    }  # fmt: skip
    columns = query(
        "select table_name, column_name from information_schema.columns where table_schema in ('marts', 'kpi', 'open_data')"
    )
    assert columns
    assert [
        pair for pair in columns if pair[1] in hidden | {"personal_id", "record_id", "parcel_id", "dossier_code"}
    ] == []


def test_published_columns_are_those_of_the_declaration(query: Query) -> None:
    found: dict[str, list[str]] = {}
    for table, column in query(
        "select table_name, column_name from information_schema.columns where table_schema = 'open_data' order by ordinal_position"
    ):
        found.setdefault(table, []).append(column)
    declared = {dataset.model: [column.name for column in dataset.columns] for dataset in contract.datasets().values()}
    assert found == declared


def test_every_model_says_its_grain() -> None:
    silent = []
    for path in sorted((REPOSITORY / "dbt_project" / "models").glob("*/**/_*.yml")):
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models") or []:
            if path.parts[-2] in ("marts", "kpi", "open_data") and not str(model.get("description", "")).startswith(
                "One row per"
            ):
                silent.append(model["name"])
    assert silent == []


def test_a_mended_record_closes_its_issue(built: Settings, query: Query) -> None:
    update = "update raw.population__resident set birth_date = '15/06/1990' where record_id = 'DC043' returning 1"
    assert query(update, "loader") == [(1,)]
    assert run(built, "build", "--select", "+issue", "--exclude-resource-type", "unit_test", as_of="2025-10-01") == 0
    states = query(
        "select issue_code, first_seen::text, last_seen::text, closed_at::text from quality.issue "
        "where record_key = 'DC043' order by 1"
    )
    assert states == [
        ("DATE_MALFORMED", "2025-09-30", "2025-09-30", "2025-10-01"), ("LEGACY_LETTER", "2025-09-30", "2025-10-01", None),
    ]  # fmt: skip
