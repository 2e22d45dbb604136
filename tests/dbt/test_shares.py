"""Shares of a divided commune: decided once, by the register as it first stood after the reform."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import dbt_fixture
import psycopg
import pytest

from khochung import warehouse
from khochung.settings import Settings
from tests.toy_warehouse import running

Rows = list[tuple[Any, ...]]
SEAT, OTHER = "28036", "27694"  # Xã Thủ Thừa, which has the seat, and Phường Long An
MODELS = [
    "build",
    "--select",
    "+administrative_unit_crosswalk",
    "+stg_population__resident",
    "--exclude-resource-type",
    "test",
    "unit_test",
]
FIRST, LATER = "2025-09-30", "2025-12-31"
MOVED = {
    "permanent_commune": SEAT, "permanent_district": "0", "permanent_since": "01/11/2025", "current_commune": SEAT,
    "updated_at": "2025-11-01 09:00+07",
}  # fmt: skip


class Register:
    """A hand-made province, and the register of 180 people and 120 parcels of Bình Thạnh as each delivery leaves it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.crosswalks: list[Rows] = []

    def query(self, statement: str) -> Rows:
        with warehouse.connect(self.settings, "transformer") as connection:
            return connection.execute(statement).fetchall()

    def build(self, as_of: str) -> None:
        assert dbt_fixture.run(self.settings, *MODELS, as_of=as_of) == 0
        self.crosswalks.append(self.query("select * from open_data.administrative_unit_crosswalk order by 1, 2, 6"))

    def shares(self, build: int) -> dict[str, tuple[float, str, float, str]]:
        """Of Bình Thạnh, by receiver: share of people and how it is known, share of land and how it is known."""
        return {
            row[5]: (float(row[7]), row[8], float(row[9]), row[10])
            for row in self.crosswalks[build]
            if row[0] == dbt_fixture.SPLIT
        }


def change(connection: psycopg.Connection[Any], records: str, changes: dbt_fixture.Row, load_id: int) -> None:
    """What a delivery does to records that changed: their version goes to the history, the new one takes its place."""
    connection.execute(
        f"insert into raw.population__resident__history select *, {load_id} from raw.population__resident where {records}"
    )
    assignments = ", ".join(f"{name} = %({name})s" for name in changes)
    connection.execute(
        f"update raw.population__resident set {assignments}, _load_id = {load_id} where {records}", changes
    )


def first_delivery(connection: psycopg.Connection[Any]) -> None:
    """120 people and 2 of 3 ha in the one receiver, 60 and 1 ha in the other; and some who do not count."""
    home = {"permanent_district": "803", "permanent_commune": dbt_fixture.SPLIT, "permanent_since": "01/03/2020"}
    people = []
    for number, commune in enumerate([SEAT] * 120 + [OTHER] * 60 + [None] * 5 + ["27697"] * 5, 1000):
        people.append(dbt_fixture.resident(number, **home, current_commune=commune))
    for number in range(2000, 2040):  # came after the reform, under the former code
        people.append(dbt_fixture.resident(number, **home | {"permanent_since": "05/08/2025"}, current_commune=OTHER))
    for number in range(3000, 3040):  # had died before it
        gone = {"status_code": "2", "updated_at": "2025-02-01 09:00+07"}
        people.append(dbt_fixture.resident(number, **home, current_commune=OTHER, **gone))
    dbt_fixture.insert(connection, "population", people)
    for number in range(120):
        dbt_fixture.insert(connection, "land", [("parcel", {
            "thua_dat_id": UUID(int=5000 + number), "xa_id": SEAT if number < 80 else OTHER, "xa_id_cu": dbt_fixture.SPLIT,
            "dien_tich": 250, "trang_thai": 1, "kinh_tuyen_truc": "105-45", "thoi_diem_khoi_tao": "2015-01-01",
            "thoi_diem_cap_nhat": "2025-09-01",
        })])  # fmt: skip


def second_delivery(connection: psycopg.Connection[Any]) -> None:
    """Half of the smaller part move to the larger one, twenty die, five are found in the smaller; all parcels vanish."""
    change(connection, "record_id between 'DC1120' and 'DC1149'", MOVED, 2)
    dead = {"status_code": "2", "updated_at": "2025-11-02 09:00+07"}
    change(connection, "record_id between 'DC1000' and 'DC1019'", dead, 2)
    change(connection, "record_id between 'DC1180' and 'DC1184'", {"current_commune": OTHER}, 2)
    connection.execute(
        "insert into raw.land__parcel__history select *, 2 from raw.land__parcel where xa_id_cu is not null"
    )
    connection.execute("update raw.land__parcel set _deleted_at = now(), _load_id = 2 where xa_id_cu is not null")


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    made = Register(Settings(tmp_path_factory.mktemp("shares")))
    with running(made.settings):
        dbt_fixture.fill(made.settings)
        for delivery, day in ((first_delivery, FIRST), (second_delivery, LATER)):
            with warehouse.connect(made.settings, "loader") as connection:
                delivery(connection)
            made.build(day)
        yield made


def test_shares_are_those_of_people_and_land_at_the_reform(register: Register) -> None:
    assert register.shares(0) == {
        SEAT: (0.667, "observed", 0.667, "observed"),
        OTHER: (0.333, "observed", 0.333, "observed"),
    }


def test_a_later_day_leaves_the_crosswalk_as_it_was(register: Register) -> None:
    lived = "select count(*) from staging.stg_population__resident where permanent_commune_key like '28063@%'"
    assert register.query(f"{lived} and current_commune_key like '27694@%'") == [(115,)]  # 30 + 5 + 40 + 40: it was 140
    assert register.crosswalks[1] == register.crosswalks[0]
    assert len(register.crosswalks[0]) > 282


def test_every_commune_is_shared_out_whole(register: Register) -> None:
    sums = "select distinct sum(weight_population)::text, sum(weight_area)::text from marts.bridge_administrative_unit"
    assert {(float(people), float(land)) for people, land in register.query(f"{sums} group by commune_key")} == {(1, 1)}
