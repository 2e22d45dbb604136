"""Insurance, civil status, budget and digital teams of the hand-made province: counts by hand, and what must not be mixed."""

from collections.abc import Callable
from typing import Any

from khochung import contract

Query = Callable[..., list[tuple[Any, ...]]]
WARD = "place_key = 'XA-27694@2025-07-01' and period_kind = 'month' and period_start = '2025-08-01'"


def test_coverage_is_cards_over_residents_of_the_register(query: Query) -> None:
    """25 cards over the 25 residents of August, whatever the office divides by."""
    found = query(f"select numerator::int, denominator::int, value::int from kpi.metric_value where {WARD} "
                  "and metric_code = 'health_insurance_coverage'", "analyst")  # fmt: skip
    assert found == [(25, 25, 100)]
    assert query("select distinct population_stated from marts.fct_insurance_month") == [(1000,)]
    before = query(
        "select value from kpi.metric_value where metric_code = 'health_insurance_coverage' and period_start = '2025-05-01'"
    )
    assert before == [], "a month that no form came for has no coverage"


def test_coverage_is_published_of_people_who_are_published(query: Query) -> None:
    rows = query(
        "select commune_code, health_cards, residents, health_coverage from open_data.insurance_by_commune "
        "where month_end = '2025-08-31'", "publisher",
    )  # fmt: skip
    (ward,) = (row for row in rows if row[0] == "27694")
    assert float(ward[3]) == round(100 * ward[1] / ward[2], 2)


def test_a_death_in_both_registers_agrees_and_a_birth_without_a_number_cannot_be_compared(query: Query) -> None:
    assert query("select event_type, outcome, events from marts.fct_civil_reconciliation order by 1") == [
        ("birth", "no number", 1), ("death", "agree", 1),
    ]  # fmt: skip
    assert query("select event_type, registrations, timed, in_time from marts.fct_civil_registration_month order by 1") == [
        ("death", 1, 1, 1), ("marriage", 1, 0, 0),
    ]  # fmt: skip


def test_nobody_is_named_beyond_staging(query: Query) -> None:
    hidden = {
        column.name
        for source in ("civil", "digital")
        for table in contract.source(source).tables
        for column in table.columns
        if column.privacy == "identifier"
    }
    assert hidden == {"person_id", "full_name", "spouse_id", "spouse_name", "leader_name", "phone"}
    passed = query(
        "select column_name from information_schema.columns where table_schema in ('marts', 'kpi', 'open_data') "
        "or table_schema = 'staging' and (table_name like 'stg_civil%' or table_name like 'stg_digital%')"
    )
    assert hidden & {name for (name,) in passed} == set()


def test_amounts_of_two_units_of_account_are_one_sum(query: Query) -> None:
    """10,000 nghìn đồng spent of 2 + 10 triệu đồng planned, in each of revenue and expenditure."""
    found = query(
        "select flow, sum(executed_vnd)::bigint, sum(estimate_vnd)::bigint, kpi.rate(sum(executed_vnd), sum(estimate_vnd))::text "
        "from marts.fct_budget_month group by 1 order by 1", "analyst",
    )  # fmt: skip
    assert found == [("expenditure", 10_000_000, 12_000_000, "83.33"), ("revenue", 10_000_000, 12_000_000, "83.33")]
    public = query("select sum(executed_vnd)::bigint, max(execution_percent)::text from open_data.budget_by_chapter")
    assert public == [(20_000_000, "83.33")]


def test_teams_stand_in_the_present_communes(query: Query) -> None:
    found = query(
        "select commune_code, teams, members, digital_enterprises from open_data.digital_teams_by_commune "
        "where teams + digital_enterprises > 0 order by 1", "publisher",
    )  # fmt: skip
    assert found == [("27694", 1, 5, 1), ("28036", 1, 5, 0)]
    assert query("select count(*) from open_data.digital_teams_by_commune") == [(96,)]


def test_teams_and_enterprises_are_counted_on_any_day(query: Query) -> None:
    """On 6/11/2024, of the former Long An with its 188 communes: before one of the teams ended."""
    found = query(
        "select metric_code, sum(numerator)::int, sum(denominator)::int from kpi.metric_province_day "
        "where metric_code ~ 'digital' and former_province = '80' and day <= '2024-11-06' group by 1 order by 1", "analyst",
    )  # fmt: skip
    assert found == [
        ("communes_with_digital_team", 2, 188), ("digital_enterprises", 1, None), ("digital_team_members", 15, None),
        ("digital_teams", 3, None),
    ]  # fmt: skip
