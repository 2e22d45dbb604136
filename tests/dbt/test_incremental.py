"""Incremental models: what a day's build makes of what changed is what a build of everything makes."""

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
ALONE, CHILDLESS = UUID(int=2), UUID(int=3)
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
    yield "agency", {"agency_code": ENDS, "agency_name": "Ban", "level_code": "TINH", "valid_from": "2021-01-01",
                     "valid_to": ENDED}  # fmt: skip
    for number, changes in enumerate([{"agency_code": ENDS}, {"procedure_code": "1.009999"}, {}], 60):
        yield dbt_fixture.dossier(number, **changes)
    parcels = {row["thua_dat_id"]: row for table, row in dbt_fixture.land() if table == "parcel"}
    pattern = next(iter(parcels.values()))
    for number, parcel in enumerate((ALONE, CHILDLESS)):
        yield "parcel", pattern | {"thua_dat_id": parcel, "so_thua": 10 + number}
        for table, row in dbt_fixture.land():
            if table != "parcel" and row["thua_dat_id"] == dbt_fixture.OWNED:
                key = next(iter(row))
                yield table, row | {key: UUID(int=100 * (number + 1) + row[key].int), "thua_dat_id": parcel}


def after() -> Iterator[tuple[str, Row]]:
    """What the second day brings: rows that are new or changed. Those named by their key alone are deleted."""
    yield dbt_fixture.resident(70)
    yield dbt_fixture.resident(71, personal_id="80090000160")  # without its zero the number of DC060
    yield dbt_fixture.resident(62, personal_id="080090000162", birth_date="16/06/1990")
    yield dbt_fixture.resident(1, surname="Đặng")
    yield "resident", {"record_id": "DC064"}
    yield dbt_fixture.event(62, "DC070", "KT", "20/08/2025", to_commune="99999")
    known = next(row for table, row in dbt_fixture.procedures() if table == "procedure")
    yield "procedure", known | {"procedure_code": "1.009999"}
    yield dbt_fixture.dossier(62, finished_at="20250806160000", status_code="10")
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


def build(settings: Settings, *arguments: str, as_of: str = dbt_fixture.AS_OF, **variables: Any) -> None:
    models = ["--select", "resource_type:seed", *(f"+base_{table}" for table in TABLES)]
    selected = ["build", *models, "--exclude-resource-type", "unit_test", "test"]
    assert dbt_fixture.run(settings, *selected, *arguments, as_of=as_of, **variables) == 0


def test_a_day_of_changes_gives_what_a_full_build_gives(home: Settings) -> None:
    with warehouse.connect(home, "loader") as connection:
        for table, row in before():
            write(connection, table, row, 1)
    build(home)
    first = judged(home)
    with warehouse.connect(home, "loader") as connection:
        for table, row in after():
            write(connection, table, row, 2)
    build(home, as_of=NEXT_DAY, loads_seen=1)
    second = judged(home)
    build(home, "--full-refresh", as_of=NEXT_DAY)
    whole = judged(home)
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
