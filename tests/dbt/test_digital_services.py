"""Electronic identity and payments in the hand-made province."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

Query = Callable[..., list[tuple[Any, ...]]]
AT = """
select sum(numerator)::int, sum(denominator)::int from kpi.metric_day
where metric_code = 'identity_level_2' and former_province = '80' and day <= '{}'
"""


def test_accounts_stand_as_last_reported_and_end_with_their_commune(query: Query) -> None:
    for day, accounts in (
        ("2025-05-26", (None, None)),
        ("2025-06-26", (6000, 8000)),
        ("2025-06-30", (6200, 8100)),
        ("2025-07-01", (0, 0)),
        ("2025-09-30", (25000, 30100)),
    ):
        assert query(AT.format(day), "analyst") == [accounts], day


def test_a_commune_has_its_share(query: Query) -> None:
    rows = query(
        "select place_key, numerator::int, value from kpi.metric_value where metric_code = 'identity_level_2' "
        "and place_key is not null and period_kind = 'month' and period_start = '2025-08-01' order by 1",
        "analyst",
    )
    assert rows == [
        ("TINH-80@2025-07-01", 24000, Decimal("80.00")),
        ("XA-27694@2025-07-01", 24000, Decimal("80.00")),
    ]
    shown = query("select level_2, level_2_share from open_data.identity_accounts_by_commune order by 1", "publisher")
    assert [abs(level_2 - true) <= 3 for (level_2, _), true in zip(shown, (24000, 25000), strict=True)] == [True, True]


def test_payments_are_held_against_their_dossiers(query: Query) -> None:
    rows = {
        code: (numerator, denominator)
        for code, numerator, denominator in query(
            "select metric_code, sum(numerator)::int, sum(denominator)::int from kpi.metric_day "
            "where metric_code like 'fee_payments%%' group by 1",
            "analyst",
        )
    }
    assert rows == {
        "fee_payments": (13, None),
        "fee_payments_amount": (260_000, None),
        "fee_payments_failed": (1, 15),
        "fee_payments_matched": (0, 13),
    }
    assert query(
        "select field, issue_code from quality.issue where source_name = 'payments' and record_key = 'GD15'"
    ) == [("dossier_code", "REFERENCE_MISSING")]
    assert query("select count(*) from marts.fct_fee_payment where dossier_key is null", "analyst") == [(1,)]


def test_the_public_sees_how_many_payments(query: Query) -> None:
    ((month, channel, payments, withheld),) = query(
        "select month_start::text, channel, payments, payments_suppressed from open_data.fee_payments_by_channel_month",
        "publisher",
    )
    assert (month, channel) == ("2025-08-01", "national_portal")
    assert withheld is (payments is None) and (payments is None or abs(payments - 13) <= 3)
