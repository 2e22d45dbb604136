"""Land in the marts against independent SQL over raw: what lies where, stocks by month, lineage, keys that stay."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from dbt_fixture import OWNED, SPLIT, Row, Subject

WARD_1 = "27694"  # Phường 1 of Tân An took Phường 2 in on 1/12/2024; both had a sheet 1
PARENT, FIRST, SECOND = UUID(int=100), UUID(int=101), UUID(int=102)
UNDATED, MERGED, PRESENT = UUID(int=103), (UUID(int=104), UUID(int=105)), UUID(int=106)
ENDED = "2024-05-31 17:00"
SELECT = ("--select", "+path:models/marts/land", "path:models/intermediate/land", "assert_parcel_lineage_sums_to_one")
FACTS = (
    "dim_parcel",
    "fct_parcel_use",
    "fct_parcel_month",
    "fct_land_use_month",
    "bridge_parcel_lineage",
    "fct_land_right",
)


def parcel(number: UUID, commune: str, **changes: Any) -> tuple[str, Row]:
    """A parcel of 1,000 m² in force since 2015."""
    row = {
        "thua_dat_id": number, "xa_id": commune, "so_to": 1, "so_thua": 7, "dien_tich": 1000, "trang_thai": 1,
        "thoi_diem_khoi_tao": "2015-01-01", "thoi_diem_cap_nhat": "2020-01-01",
    }  # fmt: skip
    return "parcel", row | changes


def parcels() -> Iterator[tuple[str, Row]]:
    """A division, an end without a date, two parcels of one number, and one that was given its present code."""
    child = {"thua_goc_id": PARENT, "thoi_diem_khoi_tao": ENDED, "thoi_diem_cap_nhat": ENDED}
    yield parcel(PARENT, SPLIT, trang_thai=0, thoi_diem_ket_thuc=ENDED, thoi_diem_cap_nhat=ENDED)
    yield parcel(FIRST, SPLIT, dien_tich=400, so_thua=71, **child)
    yield parcel(SECOND, SPLIT, dien_tich=600, so_thua=72, **child)
    yield parcel(
        UNDATED, SPLIT, trang_thai=0, thoi_diem_ket_thuc="1975-04-30", thoi_diem_cap_nhat="2024-02-10", so_thua=8
    )
    yield parcel(MERGED[0], WARD_1, thoi_diem_cap_nhat="2025-01-10")
    yield parcel(MERGED[1], WARD_1, thoi_diem_cap_nhat="2025-01-11")
    yield parcel(PRESENT, WARD_1, xa_id_cu=WARD_1, thoi_diem_cap_nhat="2025-08-01", so_thua=9)


def uses() -> Iterator[tuple[str, Row]]:
    """Every parcel is rice land; the division turned a part of it into homes."""
    for number, (_, row) in enumerate(parcels()):
        kind = "ONT" if row["thua_dat_id"] == FIRST else "LUC"
        yield "parcel_use", {
            "muc_dich_id": UUID(int=200 + number), "thua_dat_id": row["thua_dat_id"], "so_thu_tu": 1, "loai_dat": kind,
            "dien_tich": row["dien_tich"], "thoi_han": "Lâu dài", "thoi_diem_cap_nhat": "2020-01-01",
        }  # fmt: skip


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    with Subject.built(tmp_path_factory.mktemp("land"), SELECT, FACTS, "land", [*parcels(), *uses()]) as built:
        yield built


def test_the_stock_of_each_month_is_what_raw_says(land: Subject) -> None:
    counted = land.query(
        "select month_end, sum(parcels), sum(area_m2) from marts.fct_parcel_month group by 1 order by 1"
    )
    by_raw = land.query(
        """
        select month_end::date, count(*), sum(dien_tich)
        from generate_series(timestamp '2023-07-01', '2025-10-01', '1 month') as month (first_day)
        cross join lateral (select month.first_day - interval '1 day' as month_end) as last
        join raw.land__parcel on thoi_diem_khoi_tao < first_day
            and (trang_thai = 1 or greatest(thoi_diem_ket_thuc, thoi_diem_cap_nhat) >= first_day)
        group by 1 order by 1
        """
    )
    assert counted == by_raw
    assert {parcels for _, parcels, _ in counted} == {6, 5}, "one ends without a date in February 2024"


def test_the_uses_of_each_month_cover_its_parcels(land: Subject) -> None:
    assert land.query(
        "select month_end, commune_key from marts.fct_parcel_month as parcel "
        "full join (select month_end, commune_key, sum(area_m2) as area_m2 from marts.fct_land_use_month group by 1, 2) as use "
        "using (month_end, commune_key) where parcel.area_m2 is distinct from use.area_m2"
    ) == []  # fmt: skip
    homes = land.query(
        "select min(month_end)::text, max(area_m2) from marts.fct_land_use_month where land_type = 'ONT' and area_m2 > 300"
    )
    assert [(day, float(area)) for day, area in homes] == [("2024-05-31", 700.0)]


def test_a_reform_moves_no_land(land: Subject) -> None:
    assert land.query("select count(distinct total) from (select sum(parcels) as total from marts.fct_parcel_month "
                      "where month_end >= '2024-06-30' group by month_end) as months") == [(1,)]  # fmt: skip
    communes = land.query(
        "select month_end::text, commune_key from marts.fct_parcel_month where month_end in ('2025-06-30', '2025-07-31') "
        "and commune_key like '27694%' order by 1"
    )
    assert communes == [("2025-06-30", "27694@2004-01-01"), ("2025-07-31", "27694@2025-07-01")]


def test_the_division_is_known_with_its_shares(land: Subject) -> None:
    found = land.query(
        f"""
        select child.thua_dat_id, relation, children, effective_on::text, weight_area::float8
        from marts.bridge_parcel_lineage as bridge
        join raw.land__parcel as child on md5('parcel ' || child.thua_dat_id)::uuid = bridge.child_parcel_key
        where bridge.parent_parcel_key = md5('parcel {PARENT}')::uuid order by 1
        """
    )
    assert found == [(FIRST, "divided", 2, "2024-05-31", 0.4), (SECOND, "divided", 2, "2024-05-31", 0.6)]


def test_a_number_is_shared_after_a_merger(land: Subject) -> None:
    shared = land.query(
        "select parcel.thua_dat_id from marts.dim_parcel join raw.land__parcel as parcel "
        "on md5('parcel ' || parcel.thua_dat_id)::uuid = parcel_key where parcels_of_this_number = 2 order by 1"
    )
    assert shared == [(number,) for number in MERGED]


def test_a_right_belongs_to_its_parcel(land: Subject) -> None:
    assert land.query(
        "select holder_type, certificate_class, issued_on::text, parcel_key from marts.fct_land_right"
    ) == land.query(
        f"select 'individual', 'two letters, six digits', '2015-03-05', md5('parcel {OWNED}')::uuid"
    )  # fmt: skip


def test_the_point_is_known_to_a_kilometre_only(land: Subject) -> None:
    assert land.query(
        f"select longitude::text, latitude::text from marts.dim_parcel where parcel_key = md5('parcel {OWNED}')::uuid"
    ) == [("106.40", "10.55")]


def test_a_second_build_from_nothing_gives_the_same_rows_and_keys(land: Subject) -> None:
    before = land.contents()
    assert all(before.values())
    land.build_from_nothing()
    assert land.contents() == before
