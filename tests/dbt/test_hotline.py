"""The 1022 hotline in the hand-made province: which day it was, where, which kind, and nothing of what was said."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

Query = Callable[..., list[tuple[Any, ...]]]


def test_a_day_is_that_of_viet_nam_not_of_utc(query: Query) -> None:
    rows = query("select received_on::text, count(*) from marts.fct_petition group by 1 order by 1", "analyst")
    assert rows == [("2024-03-04", 31), ("2024-04-01", 1)]


def test_places_without_codes_find_their_commune(query: Query) -> None:
    rows = query(
        "select split_part(commune_key, '@', 1), present_commune_key, count(*) from marts.fct_petition group by 1, 2",
        "analyst",
    )
    assert rows == [("27694", "27694@2025-07-01", 31), (None, None, 1)] or set(rows) == {
        ("27694", "27694@2025-07-01", 31),
        (None, None, 1),
    }
    assert query(
        "select field, issue_code, masked_value from quality.issue where source_name = 'hotline' order by field"
    ) == [("place_id", "CODE_UNKNOWN", "d"), ("status_code", "PLACEHOLDER_VALUE", "Không rõ")]


def test_the_two_kinds_share_no_row_and_no_metric(query: Query) -> None:
    kinds = query("select kind, is_on_time, is_satisfactory from marts.fct_administrative_feedback order by kind desc")
    assert kinds == [("regulation", True, True), ("behaviour", True, False)]
    ours = "where metric_code {} period_kind = 'month' and agency_key like 'H39.12@%' and period_start = '2024-03-01'"
    reports = query(
        "select metric_code, metric_version, numerator::int, denominator::int, value from kpi.metric_value "
        + ours.format("like 'hotline%%' and")
        + " order by 1, 2",
        "analyst",
    )
    assert reports == [
        ("hotline_on_time", "press", 30, 31, Decimal("96.77")),
        ("hotline_on_time", "strict", 30, 31, Decimal("96.77")),
        ("hotline_open", "press", 0, None, Decimal("0.00")),
        ("hotline_received", "press", 31, None, Decimal("31.00")),
        ("hotline_received_total", "press", 31, None, Decimal("31.00")),
        ("hotline_satisfaction", "press", 30, 31, Decimal("96.77")),
    ]
    feedback = query(
        "select metric_code, numerator::int, denominator::int from kpi.metric_value "
        + ours.format("like 'feedback%%' and")
        + " order by 1",
        "analyst",
    )
    assert feedback == [("feedback_by_kind", 1, 2), ("feedback_on_time", 2, 2), ("feedback_satisfaction", 1, 2)]


def test_nothing_that_was_said_goes_beyond_the_cleaning(query: Query) -> None:
    columns = query(
        "select table_schema || '.' || table_name || '.' || column_name from information_schema.columns "
        "where table_schema in ('staging', 'intermediate', 'marts', 'kpi', 'open_data') "
        "and (table_name like 'stg_hotline%' or table_name like '%petition%' or table_name like '%feedback%') "
        "and column_name in ('title', 'description', 'reporter_name', 'reporter_id', 'phone', 'username', 'address', "
        "'latitude', 'longitude', 'petition_code')"
    )
    assert [name for (name,) in columns if "staging.base_" not in name] == []
    rows = query("select cast(row(petition.*) as text) from marts.fct_petition as petition", "analyst")
    assert len(rows) == 32
    assert not [text for (text,) in rows if "0901234567" in text or "Võ" in text]


def test_a_field_with_enough_reports_is_published(query: Query) -> None:
    rows = query(
        "select month_start::text, field_code, received, received_suppressed, answered_on_time <= answered "
        "from open_data.petitions_by_field_month order by 1",
        "publisher",
    )
    assert [row[:2] for row in rows] == [("2024-03-01", "MT"), ("2024-04-01", "MT")]
    assert abs(rows[0][2] - 31) <= 3 and rows[0][4] is True
    assert rows[1][2:4] == (None, True)
