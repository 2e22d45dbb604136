"""Values of metrics against counts made from raw, by other SQL than the models'."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from khochung import figures
from khochung.settings import REPOSITORY, Settings

Query = Callable[..., list[tuple[Any, ...]]]
AUGUST = "period_kind = 'month' and period_start = '2025-08-01'"
RECEIVED = """
from raw.procedures__dossier
where _deleted_at is null and agency_code = 'H39.12' and left(received_at, 6) = '202508'
"""


def metric(query: Query, code: str, version: str, where: str) -> tuple[int, int | None, Decimal | None]:
    """Numerator, denominator and value of one row of kpi.metric_value, as the analyst sees it."""
    rows = query(
        f"select numerator::int, denominator::int, value from kpi.metric_value "
        f"where metric_code = '{code}' and metric_version = '{version}' and {where}",
        "analyst",
    )
    assert len(rows) == 1, rows
    return rows[0]  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("code", "version", "numerator", "denominator"),
    [
        ("dossiers_online", "press", "channel_code = '2'", "true"),
        ("dossiers_on_time", "press", "finished_at <= due_at", "status_code = '10'"),
        # What is open on 31 August is measured by that day.
        ("dossiers_on_time", "strict", "coalesce(finished_at, '20250831') <= due_at", "true"),
        ("dossiers_overdue", "press", "finished_at is null and due_at < '20250901'", "finished_at is null"),
        ("dossiers_digitised", "press", "digitised = '1'", "true"),
        ("electronic_results", "press", "electronic_result = '1'", "status_code in ('9', '10')"),
        ("handling_working_days", "press", "false", "status_code in ('9', '10')"),
    ],
)
def test_dossiers_of_an_agency(query: Query, code: str, version: str, numerator: str, denominator: str) -> None:
    ((part, whole),) = query(
        f"select count(*) filter (where {numerator} and {denominator}), count(*) filter (where {denominator}) {RECEIVED}"
    )
    if code == "handling_working_days":
        part = 10 * 2 + 4  # ten from Monday to Wednesday, one until Friday
    assert whole > 0
    found = metric(query, code, version, f"{AUGUST} and agency_key like 'H39.12@%'")
    assert found[:2] == (part, whole)
    factor = 1 if code == "handling_working_days" else 100
    assert found[2] == round(Decimal(factor) * part / whole, 2)


def test_people_of_a_commune(query: Query) -> None:
    ((residents, women),) = query(
        "select count(*), count(*) filter (where sex_code = '2') from raw.population__resident "
        "where permanent_commune = '27694' and status_code = '1'"
    )
    where = f"{AUGUST} and place_key = 'XA-27694@2025-07-01'"
    assert metric(query, "population", "yearbook", where)[0] == residents == 25
    assert metric(query, "sex_ratio", "yearbook", where)[:2] == (residents - women, women)
    assert metric(query, "births", "yearbook", where)[0] == 1
    rate = metric(query, "natural_increase_rate", "yearbook", where)
    assert rate == (0, 25, Decimal(0))


def test_area_is_that_of_parcels_in_force(query: Query) -> None:
    ((area,),) = query("select sum(dien_tich) / 1e6 from raw.land__parcel where trang_thai = 1")
    last = "period_kind = 'month' and period_start = '2025-09-01' and place_key = 'TINH-80@2025-07-01'"
    ((found,),) = query(f"select numerator from kpi.metric_value where metric_code = 'land_area' and {last}")
    assert found == round(area, 6)


def test_old_communes_and_present_ones_have_the_same_sums(query: Query) -> None:
    """Density apart, which is told of present communes only."""
    sums = query(
        "select value.metric_code, value.period_start, unit.level_code, unit.is_present, sum(numerator), sum(denominator) "
        "from kpi.metric_value as value join marts.dim_administrative_unit as unit on value.place_key = unit.unit_key "
        "where value.period_kind = 'month' and value.period_end < '2025-07-01' and value.metric_version = 'yearbook' "
        "group by 1, 2, 3, 4"
    )
    found: dict[tuple[Any, Any], set[tuple[Any, Any]]] = {}
    for code, start, _, _, numerator, denominator in sums:
        found.setdefault((code, start), set()).add((numerator, denominator))
    assert len(found) > 100
    assert {key: values for key, values in found.items() if len(values) > 1 and key[0] != "population_density"} == {}


def test_a_value_is_of_an_agency_or_of_a_place(query: Query) -> None:
    assert query("select count(*) from kpi.metric_value where (agency_key is null) = (place_key is null)") == [(0,)]
    assert query("select count(*) from kpi.metric_value where (vintage is null) <> (place_key is null)") == [(0,)]


def test_what_is_not_computable_says_why_and_has_no_value(query: Query) -> None:
    rows = query("select metric_code, missing from kpi.metric where status = 'not computable'")
    assert {code for code, _ in rows} >= {"procedures_complete", "dossiers_synchronised", "procedure_satisfaction"}
    assert [code for code, missing in rows if not missing] == []
    listed = ", ".join(f"'{code}'" for code, _ in rows)
    assert query(f"select count(*) from kpi.metric_value where metric_code in ({listed})") == [(0,)]


def test_every_indicator_of_decision_766_is_defined(query: Query) -> None:
    ((found,),) = query("select array_agg(distinct indicator) from kpi.metric where indicator is not null")
    wanted = [
        "1.1",
        "1.2",
        "1.3",
        "1.4",
        "2.1",
        "2.2",
        "3.1",
        "3.2",
        "3.3",
        "3.5",
        "3.6",
        "4.1",
        "4.2",
        "4.3",
        "4.4",
        "4.5",
        "5.1",
        "5.2",
        "5.3",
        "5.4",
    ]
    assert sorted(found) == wanted


@pytest.mark.parametrize(
    ("arguments", "value"),
    [("1, 3, 100", "33.33"), ("2, 3, 1000", "666.67"), ("0, 5, 100", "0"), ("5, 0, 100", None), ("0, 0, 100", None)],
)
def test_the_one_division(query: Query, arguments: str, value: str | None) -> None:
    for role in ("transformer", "analyst"):
        assert query(f"select kpi.rate({arguments})", role) == [(value and Decimal(value),)]


def test_nothing_else_divides() -> None:
    """A share or a rate in a model is a call of `rate`; averages over time and units of measure are no rates."""
    share = re.compile(r"/\s*nullif\(|\b100(\.0)?\s*\*|/\s*(sum|count)\(")
    models = [
        path
        for pattern in ("marts/*/fct_*.sql", "kpi/*.sql", "open_data/*.sql", "intermediate/kpi/*.sql")
        for path in (REPOSITORY / "dbt_project" / "models").glob(pattern)
    ]
    assert len(models) > 25
    assert [path.name for path in models if share.search(path.read_text(encoding="utf-8"))] == []
    assert share.search("round(100.0 * a / b, 2)") and share.search("a / nullif(b, 0)")


def test_figures_of_a_period_without_records_are_none(built: Settings) -> None:
    found = {figure.code: figure for figure in figures.figures(built)}
    assert found["dossiers_online_share_2024_03_14"].computed is None
    assert found["dossiers_online_share_2024_03_14"].note == "no record of its period"
    assert found["services_full_online"].computed == 1
    assert found["app_users"].note == "taken over as published"
