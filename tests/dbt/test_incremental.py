"""Incremental models: what a day's build makes of what changed is what a build of everything makes."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import dbt_fixture
import psycopg
import pytest
from psycopg import sql

from khochung import contract, warehouse
from khochung.settings import Settings
from tests.toy_warehouse import running

NEXT_DAY = "2025-10-02"
TABLES = [
    "population__resident", "population__event", "land__parcel", "land__parcel_use", "land__land_right",
    "business__household_business", "procedures__dossier",
]  # fmt: skip
FOLLOWERS = [
    "int_person__resident", "int_person__link", "int_person__person", "int_population__spell", "int_population__stay",
    "int_population__home", "int_population__crowd", "dim_household", "dim_person", "int_land__parcel", "dim_parcel", "fct_parcel_use", "fct_land_right",
    "int_procedures__dossier", "fct_dossier", "fct_dossier_event",
]  # fmt: skip
ALONE, CHILDLESS, NUMBERED = UUID(int=2), UUID(int=3), UUID(int=4)
ENDS, ENDED = "H39.98", "2025-10-01"

Row = dict[str, Any]


def before() -> Iterator[tuple[str, Row]]:
    """Rows beside those of the hand-made province, each for something that the second day turns."""
    yield dbt_fixture.resident(60, personal_id="080090000160")  # gets a double
    yield dbt_fixture.resident(61, personal_id="080090000161")  # has one, who then gets another number
    yield dbt_fixture.resident(62, personal_id="080090000161", birth_date="16/06/1990")
    yield dbt_fixture.resident(63, permanent_since="01/10/2025")  # in the future, until it is today
    yield dbt_fixture.resident(64)  # is deleted, with the event left behind
    yield dbt_fixture.event(60, "DC064", "KT", "20/08/2025", to_commune=dbt_fixture.PRESENT_WARD)
    yield dbt_fixture.event(61, "DC070", "KT", "20/08/2025", to_commune=dbt_fixture.PRESENT_WARD)  # comes to be
    yield dbt_fixture.resident(65, household_no="H1", old_id_card="301234568")  # moves, late told; gets a card's double
    yield dbt_fixture.resident(66, household_no="H1", householder_relation="Chủ hộ")  # leaves the household
    yield dbt_fixture.resident(67, personal_id="080090000167")  # dies; holds a right, and has filed a dossier
    yield dbt_fixture.resident(68, permanent_commune=dbt_fixture.SPLIT, permanent_district="799")  # placed by a draw
    yield dbt_fixture.event(63, "DC068", "DEN", "20/08/2024", to_commune=dbt_fixture.SPLIT)  # is told of somebody else
    yield "agency", {"agency_code": ENDS, "agency_name": "Ban", "level_code": "TINH", "valid_from": "2021-01-01",
                     "valid_to": ENDED}  # fmt: skip
    filed = [
        {"agency_code": ENDS}, {"procedure_code": "1.009999"}, {}, {"applicant_id": "080090000167"},
        {"reception_agency_code": dbt_fixture.DISTRICT, "agency_code": dbt_fixture.PRESENT_CENTRE},
    ]  # fmt: skip
    for number, changes in enumerate(filed, 60):
        yield dbt_fixture.dossier(number, **changes)
    parcels = {row["thua_dat_id"]: row for table, row in dbt_fixture.land() if table == "parcel"}
    pattern = next(iter(parcels.values()))
    for number, parcel in enumerate((ALONE, CHILDLESS)):
        yield "parcel", pattern | {"thua_dat_id": parcel, "so_thua": 10 + number}
        for table, row in dbt_fixture.land():
            if table != "parcel" and row["thua_dat_id"] == dbt_fixture.OWNED:
                key = next(iter(row))
                yield table, row | {key: UUID(int=100 * (number + 1) + row[key].int), "thua_dat_id": parcel}
    right = next(row for table, row in dbt_fixture.land() if table == "land_right")
    yield "land_right", right | {"quyen_id": UUID(int=300), "so_dinh_danh": "080090000167"}
    yield "land_right", right | {"quyen_id": UUID(int=301), "so_dinh_danh": "301234568"}  # by a card, until two have it
    yield "parcel", pattern | {"thua_dat_id": NUMBERED, "so_thua": 77}


def after() -> Iterator[tuple[str, Row]]:
    """What the second day brings: rows that are new or changed. Those named by their key alone are deleted."""
    yield dbt_fixture.resident(70)
    yield dbt_fixture.resident(71, personal_id="80090000160")  # without its zero the number of DC060
    yield dbt_fixture.resident(62, personal_id="080090000162", birth_date="16/06/1990")
    yield dbt_fixture.resident(1, surname="Đặng")
    yield dbt_fixture.resident(72, sex_code="2", personal_id="080190000072")  # the tenth woman: now all ten are shown
    yield "resident", {"record_id": "DC064"}
    yield dbt_fixture.event(62, "DC070", "KT", "20/08/2025", to_commune="99999")
    known = next(row for table, row in dbt_fixture.procedures() if table == "procedure")
    yield "procedure", known | {"procedure_code": "1.009999"}
    yield dbt_fixture.dossier(62, finished_at="20250806160000", status_code="10")
    yield dbt_fixture.resident(65, household_no="H1", old_id_card="301234568", current_commune="28051")
    yield dbt_fixture.event(64, "DC065", "NOI", "20/05/2025", from_commune=dbt_fixture.OLD_WARD, to_commune="28051")
    yield dbt_fixture.resident(66, household_no="H2", householder_relation="Chủ hộ", old_id_card="301234568")
    yield dbt_fixture.resident(67, personal_id="080090000167", status_code="2")
    yield dbt_fixture.event(65, "DC067", "KT", "01/10/2025", to_commune=dbt_fixture.PRESENT_WARD)
    yield dbt_fixture.event(63, "DC012", "DEN", "20/08/2024", to_commune=dbt_fixture.OLD_WARD)
    pattern = next(row for table, row in dbt_fixture.land() if table == "parcel")
    yield "parcel", pattern | {"thua_dat_id": NUMBERED}  # now has the number of another one
    yield "parcel", {"thua_dat_id": ALONE}  # its uses and its right are orphans now
    yield "parcel_use", {"muc_dich_id": UUID(int=211)}  # and the areas of CHILDLESS no longer add up
    yield "household_business", {"registration_no": "50A8000001"}


def write(connection: psycopg.Connection[tuple[Any, ...]], table_name: str, row: Row, load_id: int) -> None:
    """Put a row into raw as a load would; a row of nothing but its key is marked deleted."""
    table = next(t for s in contract.sources().values() for t in s.tables if t.name == table_name)
    relation, key = sql.Identifier("raw", table.relation), table.key[0]
    if list(row) == [key]:
        statement = sql.SQL("update {} set _deleted_at = now(), _load_id = {} where {} = {}")
        done = connection.execute(statement.format(relation, load_id, sql.Identifier(key), row[key]))
        assert done.rowcount == 1
        return
    connection.execute(sql.SQL("delete from {} where {} = {}").format(relation, sql.Identifier(key), row[key]))
    dbt_fixture.insert(connection, table.source, [(table_name, row)], load_id)


def judged(settings: Settings) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Every row of the incremental base models, by table and key."""
    found = {}
    with warehouse.connect(settings, "transformer") as connection:
        for table in TABLES:
            rows = connection.execute(
                f"select _record_key, to_jsonb(base) from staging.base_{table} as base"
            ).fetchall()
            found[table] = {row[0]: row[1:] for row in rows}
            assert len(found[table]) == len(rows), f"{table} holds a record twice"
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with running(Settings(tmp_path_factory.mktemp("incremental"))) as settings:
        dbt_fixture.fill(settings)
        yield settings


def stored(settings: Settings) -> dict[str, list[str]]:
    """The rows of every table behind staging, in an order of their own."""
    with warehouse.connect(settings, "transformer") as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('intermediate', 'marts', 'kpi')"
        ).fetchall()
        return {
            name: sorted(
                str(row[0]) for row in connection.execute(f"select t::text from {space}.{name} as t").fetchall()
            )
            for space, name in tables
        }


def differences(followed: list[str], rebuilt: list[str]) -> dict[str, list[str]]:
    return {"too much": sorted(set(followed) - set(rebuilt)), "missing": sorted(set(rebuilt) - set(followed))}


def build(settings: Settings, *arguments: str, as_of: str = dbt_fixture.AS_OF, **variables: Any) -> None:
    selected = [
        "build",
        "--exclude",
        "path:models/open_data",
        "path:models/quality",
        "--exclude-resource-type",
        "unit_test",
        "test",
    ]
    assert dbt_fixture.run(settings, *selected, *arguments, as_of=as_of, **variables) == 0


def broken(settings: Settings) -> list[str]:
    """The tests of the models that follow, run on the second day as a build runs them, over a fact that was spoilt among
    what changed: which fail."""
    with warehouse.connect(settings, "transformer") as connection:
        connection.execute(
            "update marts.fct_dossier set applicant_type = 'ghost' where dossier_key::text in "
            "(select value from staging.changed_key where relation = 'fct_dossier')"
        )
    follow = ["test", "--exclude-resource-type", "unit_test", "--select", "config.incremental_strategy:differences"]
    dbt_fixture.run(settings, *follow, as_of=NEXT_DAY, loads_seen=1)
    results = json.loads((settings.artefacts / "dbt" / "run_results.json").read_text(encoding="utf-8"))["results"]
    assert len(results) > 40
    return [result["unique_id"].split(".")[2] for result in results if result["status"] != "pass"]


def test_a_day_of_changes_gives_what_a_full_build_gives(home: Settings) -> None:
    with warehouse.connect(home, "loader") as connection:
        for table, row in before():
            write(connection, table, row, 1)
    build(home)
    first, stock = judged(home), stored(home)
    with warehouse.connect(home, "loader") as connection:
        for table, row in after():
            write(connection, table, row, 2)
    build(home, as_of=NEXT_DAY, loads_seen=1)
    second, followed = judged(home), stored(home)
    assert [name.split("__")[0] for name in broken(home)] == ["accepted_values_fct_dossier_applicant_type"]
    build(home, "--full-refresh", as_of=NEXT_DAY)
    whole, rebuilt = judged(home), stored(home)
    for table in TABLES:
        assert second[table] == whole[table], table
        assert first[table] != whole[table], f"nothing of {table} had changed: this test proves nothing about it"
    turned = {
        ("population__resident", "DC060"), ("population__resident", "DC061"), ("population__resident", "DC063"),
        ("population__event", "BD60"), ("population__event", "BD61"), ("procedures__dossier", "H39.12-20250804-0000060"),
        ("procedures__dossier", "H39.12-20250804-0000061"), ("land__parcel", str(CHILDLESS)),
        ("land__parcel_use", str(UUID(int=110))), ("land__land_right", str(UUID(int=120))),
    }  # fmt: skip
    for table, key in turned:
        assert first[table][key] != whole[table][key], f"{table} {key} was to be turned by a change elsewhere"
    assert {name: differences(followed[name], rows) for name, rows in rebuilt.items() if followed[name] != rows} == {}
    assert [name for name in FOLLOWERS if stock[name] == rebuilt[name]] == [], "nothing of these had changed"
