"""Businesses in the marts against independent SQL over raw: locations and not numbers, life-cycles, keys that stay."""

from collections.abc import Iterator
from typing import Any

import pytest
from dbt_fixture import OLD_WARD, SPLIT, Row, Subject

OWNER = "080090000007"
SELECT = ("--select", "+path:models/marts/business", "path:models/intermediate/business")
MARTS = (
    "dim_business", "dim_legal_form", "dim_industry_code", "fct_enterprise_event", "fct_enterprise_stock_month",
    "fct_household_business_event", "fct_household_business_month",
)  # fmt: skip


def household(number: int, **changes: Any) -> tuple[str, Row]:
    """A shop of one owner, whose number it bears since the reform."""
    row = {
        "registration_no": f"50A80001{number:02}", "business_code": OWNER, "owner_id": OWNER, "main_industry": "4711",
        "registered_on": "05/03/2020", "commune_code": SPLIT,
    }  # fmt: skip
    return "household_business", row | changes


def households() -> Iterator[tuple[str, Row]]:
    """Three locations of one owner, in two communes; one closed, one opened in August 2025."""
    yield household(1)
    yield household(2, commune_code=OLD_WARD, closed_on="15/05/2024")
    yield household(3, registered_on="20/08/2025", commune_code="27694", main_industry="5610")


@pytest.fixture(scope="module")
def business(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    with Subject.built(tmp_path_factory.mktemp("business"), SELECT, MARTS, "business", households()) as built:
        yield built


def test_household_businesses_of_each_month_are_the_locations_of_raw(business: Subject) -> None:
    counted = business.query(
        "select month_end, sum(household_businesses) from marts.fct_household_business_month group by 1 order by 1"
    )
    by_raw = business.query(
        """
        select (first_day - interval '1 day')::date, count(*)
        from generate_series(timestamp '2023-07-01', '2025-10-01', '1 month') as month (first_day)
        join raw.business__household_business on to_date(registered_on, 'DD/MM/YYYY') < first_day
            and (closed_on is null or to_date(closed_on, 'DD/MM/YYYY') >= first_day)
        group by 1 order by 1
        """
    )
    assert counted == by_raw
    stock = dict(business.query("select month_end::text, sum(household_businesses)::int "
                                "from marts.fct_household_business_month group by 1"))  # fmt: skip
    assert [stock[day] for day in ("2024-04-30", "2024-05-31", "2025-06-30", "2025-07-31", "2025-08-31")] == [
        3,
        2,
        2,
        2,
        3,
    ]
    numbers = "count(distinct business_code) from raw.business__household_business where closed_on is null"
    assert business.query(f"select {numbers}") == [(2,)], "counted by number, the owner's two shops would be one"


def test_the_state_of_every_business_is_that_of_raw(business: Subject) -> None:
    found = business.query(
        "select enterprise_code, state, founded_on::text, closed_on::text, followed_until::text from marts.dim_business "
        "where business_kind = 'enterprise' order by 1"
    )
    assert found == [
        ("1100000012", "operating", "2019-03-05", None, "2025-09-30"),
        ("1100000037", "closed", "2019-03-05", "2025-08-15", "2025-08-15"),
    ]
    households = business.query(
        "select state, founded_on::text, closed_on::text, count(*) from marts.dim_business "
        "where business_kind = 'household_business' group by 1, 2, 3 order by 1, 2"
    )
    assert households == [
        ("closed", "2020-03-05", "2024-05-15", 1), ("operating", "2019-03-05", None, 1),
        ("operating", "2020-03-05", None, 1), ("operating", "2025-08-20", None, 1),
    ]  # fmt: skip


def test_events_lead_from_one_stock_to_the_next(business: Subject) -> None:
    assert business.query(
        """
        with stock as (
            select month_end, sum(household_businesses) as stock from marts.fct_household_business_month group by 1
        ), event as (
            select (month_start + interval '1 month - 1 day')::date as month_end,
                sum(case event_type when 'registered' then 1 else -1 end) as change
            from marts.fct_household_business_event group by 1
        )
        select month_end from (
            select month_end, stock - lag(stock) over (order by month_end) as grown from stock
        ) as months left join event using (month_end) where grown <> coalesce(change, 0)
        """
    ) == []  # fmt: skip
    assert business.query("select event_type, count(*) from marts.fct_household_business_event group by 1 order by 1") == [
        ("closed", 1), ("registered", 4),
    ]  # fmt: skip


def test_no_household_business_shows_a_number(business: Subject) -> None:
    for mart in MARTS:
        assert OWNER not in str(business.query(f"select cast(t as text) from marts.{mart} as t")), mart
    assert business.query(
        "select count(*) from marts.dim_business where business_kind = 'household_business' and enterprise_code is not null"
    ) == [(0,)]


def test_every_code_in_use_stands_on_four_levels(business: Subject) -> None:
    found = business.query(
        "select industry_code, parent_code from marts.dim_industry_code where level_no > 1 order by 1"
    )
    assert found == [
        ("01", "A"), ("011", "01"), ("0111", "011"), ("47", "G"), ("471", "47"), ("4711", "471"),
        ("56", "I"), ("561", "56"), ("5610", "561"),
    ]  # fmt: skip


def test_a_second_build_from_nothing_gives_the_same_rows_and_keys(business: Subject) -> None:
    before = business.contents()
    assert all(before.values())
    business.build_from_nothing()
    assert business.contents() == before
