"""Agencies with history: who succeeded whom, and dossiers that were in hand when their agency ended."""

from collections.abc import Callable
from typing import Any

from dbt_fixture import DISTRICT, PRESENT_CENTRE

from khochung.settings import Settings

Query = Callable[..., list[tuple[Any, ...]]]


def test_every_agency_that_ended_has_a_successor(query: Query) -> None:
    ended = query(
        "select count(*), count(*) filter (where exists (select from marts.bridge_agency as bridge "
        "where bridge.predecessor_key = agency_key)) from marts.dim_agency where valid_to is not null"
    )
    assert ended[0][0] > 300
    assert ended[0][0] == ended[0][1]


def test_the_departments_of_march_2025(query: Query) -> None:
    merged = query(
        "select before.agency_name, after.agency_name from marts.bridge_agency as bridge "
        "inner join marts.dim_agency as before on bridge.predecessor_key = before.agency_key "
        "inner join marts.dim_agency as after on bridge.successor_key = after.agency_key "
        "where bridge.effective_on = '2025-03-01' and bridge.relation = 'merged' and before.agency_code like 'H39%' "
        "and not bridge.is_provisional"
    )
    assert {tuple(name.removesuffix(" tỉnh Long An") for name in pair) for pair in merged} == {
        ("Sở Giao thông vận tải", "Sở Xây dựng"),
        ("Sở Kế hoạch và Đầu tư", "Sở Tài chính"),
        ("Sở Tài nguyên và Môi trường", "Sở Nông nghiệp và Môi trường"),
        ("Sở Thông tin và Truyền thông", "Sở Khoa học và Công nghệ"),
    }


def test_a_commune_that_was_divided_left_its_work_to_each_receiver(query: Query) -> None:
    heirs = query(
        "select count(*) from marts.bridge_agency as bridge "
        "inner join marts.dim_agency as agency on bridge.predecessor_key = agency.agency_key "
        "where agency.level_code = 'XA' and bridge.effective_on = '2025-07-01' group by bridge.predecessor_key"
    )
    assert len(heirs) == 280
    assert sum(count > 1 for (count,) in heirs) == 22
    assert query("select count(*) from marts.bridge_agency where legal_basis is null") == [(0,)]


def test_a_districts_books_close_and_its_successors_settle(query: Query) -> None:
    months = query(
        "select split_part(agency_key, '@', 1), month_start::text, carried_over, received, handed_in, handed_out, "
        "settled, in_progress from marts.fct_dossier_month where month_start between '2025-06-01' and '2025-07-31' "
        "order by 1, 2"
    )
    assert months == [
        (DISTRICT, "2025-06-01", 0, 3, 0, 0, 0, 3), (DISTRICT, "2025-07-01", 3, 0, 0, 2, 0, 1),
        (PRESENT_CENTRE, "2025-07-01", 0, 0, 1, 0, 1, 0), ("H53.6", "2025-07-01", 0, 0, 1, 0, 1, 0),
    ]  # fmt: skip


def test_a_dossier_left_behind_is_told_to_its_owner(built: Settings, query: Query) -> None:
    issues = query(
        "select issue_code, field from quality.issue where table_name = 'dossier' and issue_code = 'CODE_SUPERSEDED'"
    )
    assert issues == [("CODE_SUPERSEDED", "agency_code")]


def test_the_events_of_a_dossier_that_changed_hands(query: Query) -> None:
    events = query(
        "select event.event_type, split_part(event.agency_key, '@', 1), event.occurred_on::text "
        "from marts.fct_dossier_event as event inner join marts.fct_dossier as dossier using (dossier_key) "
        f"where dossier.handling_agency_key like '{PRESENT_CENTRE}@%' order by event.occurred_on, event.event_type"
    )
    assert events == [
        ("filed", DISTRICT, "2025-06-25"), ("received", DISTRICT, "2025-06-25"),
        ("taken_over", PRESENT_CENTRE, "2025-07-01"), ("handled", PRESENT_CENTRE, "2025-07-03"),
    ]  # fmt: skip


def test_every_milestone_of_a_dossier_is_an_event(query: Query) -> None:
    counted = query(
        "select (select count(*) from marts.fct_dossier_event where event_type in ('handled', 'withdrawn', 'stopped')), "
        "(select count(*) from marts.fct_dossier where is_settled), "
        "(select count(*) from marts.fct_dossier_event where event_type = 'received'), "
        "(select count(*) from marts.fct_dossier where is_received)"
    )
    settled_events, settled, received_events, received = counted[0]
    assert (settled_events, received_events) == (settled, received) == (13, 23)
