"""Documents and signatures in the hand-made province."""

from collections.abc import Callable
from typing import Any

Query = Callable[..., list[tuple[Any, ...]]]
STANDS = """
select metric_code, sum(numerator)::int, sum(denominator)::int
from kpi.metric_day
where former_province = '80' and day <= '{0}' and accrual = '{1}' and metric_code in ({2})
group by metric_code order by metric_code
"""


def listed(*codes: str) -> str:
    return ", ".join(f"'{code}'" for code in codes)


def test_both_forms_of_a_code_are_one_agency(query: Query) -> None:
    rows = query(
        "select split_part(agency_key, '@', 1), sum(outgoing), sum(electronic), sum(signed) from marts.fct_document_day "
        "group by 1 order by 1",
        "analyst",
    )
    assert rows == [("H39.12", 10, 10, 9), ("H39.31.1", 2, 1, 1)]


def test_levels_are_told_apart(query: Query) -> None:
    found = query(
        STANDS.format(
            "2024-03-31",
            "sum",
            listed(
                "documents_electronic_upper",
                "documents_electronic_commune",
                "documents_signed_upper",
                "documents_signed_commune",
                "work_online_department",
                "work_online_commune",
            ),
        ),
        "analyst",
    )
    assert found == [
        ("documents_electronic_commune", 1, 2),
        ("documents_electronic_upper", 10, 10),
        ("documents_signed_commune", 1, 1),
        ("documents_signed_upper", 9, 10),
        ("work_online_commune", 198, 200),
        ("work_online_department", 920, 1000),
    ]


def test_certificates_in_force_at_a_date(query: Query) -> None:
    for day, count in (("2024-03-04", 3), ("2024-03-05", 2), ("2024-05-19", 2), ("2024-05-20", 1)):
        assert query(STANDS.format(day, "running", listed("signature_certificates")), "analyst") == [
            ("signature_certificates", count, None)
        ], day


def test_accounts_and_units_at_a_date(query: Query) -> None:
    wanted = listed(
        "mail_accounts",
        "mail_accounts_used",
        "document_accounts",
        "departments_on_document_system",
        "communes_on_document_system",
    )
    assert query(STANDS.format("2024-03-01", "running", wanted), "analyst") == [
        ("communes_on_document_system", 1, 1),
        ("departments_on_document_system", 1, 1),
        ("document_accounts", 1, None),
        ("mail_accounts", 3, None),
        ("mail_accounts_used", 2, 3),
    ]


def test_nobody_is_named(query: Query) -> None:
    for table in ("fct_document_day", "fct_system_account", "fct_signature_certificate", "dim_document_unit"):
        rows = query(f"select cast(row(t.*) as text) from marts.{table} as t", "analyst")
        assert rows and not [text for (text,) in rows if "Võ" in text], table


def test_the_public_sees_counts_by_level(query: Query) -> None:
    rows = query(
        "select level_code, outgoing, electronic_share::float, signed_share::float, handled_online_share::float "
        "from open_data.documents_by_level_month where month_start = '2024-03-01' order by 1",
        "publisher",
    )
    assert rows == [("TINH", 10, 100.0, 90.0, 92.0), ("XA", 2, 50.0, 100.0, 99.0)]
