"""Dossiers in hand when their agency ends: handed over to whoever takes its work, and told by their update time."""

import numpy as np
from simulator_home import AS_OF, delivered

from simulator.build import World
from simulator.clock import MERGER, REFORM
from simulator.columns import NEVER, day_number
from simulator.world.dossiers import HAND_OVERS, DossierTable


def dossiers(world: World) -> DossierTable:
    table = world.streamed[2]
    assert isinstance(table, DossierTable)
    return table


def test_every_dossier_is_settled_by_an_agency_that_exists(world: World) -> None:
    table = dossiers(world)
    start = np.array([int(row["valid_from"] or 0) for row in table.agencies.rows])
    end = np.array([int(row["valid_to"] or 0) for row in table.agencies.rows])
    settled = table.d.finished // 86_400
    known = (settled < NEVER) & ~table.d.refused
    handler = table.d.handler[known]
    assert ((start[handler] <= settled[known]) & (settled[known] <= end[handler])).all()


def test_dossiers_are_handed_over_on_the_days_of_the_reforms(world: World) -> None:
    d = dossiers(world).d
    moved = d.handed < NEVER * 86_400
    days = set((d.handed[moved] // 86_400).tolist())
    assert {MERGER, REFORM} <= days <= set(HAND_OVERS)
    assert (d.received[moved] < d.handed[moved]).all()
    assert (d.finished[moved] >= d.handed[moved]).all()


def test_a_district_hands_over_to_communes_and_departments(world: World) -> None:
    table = dossiers(world)
    level = np.array([str(row["level_code"]) for row in table.agencies.rows])
    moved = table.d.handed // 86_400 == REFORM
    pairs = set(zip(level[table.d.agency[moved]].tolist(), level[table.d.handler[moved]].tolist(), strict=True))
    assert pairs == {("TINH", "TINH"), ("HUYEN", "TINH"), ("HUYEN", "XA"), ("XA", "XA")}


def test_the_day_of_the_reform_tells_what_it_moved(world: World) -> None:
    table = dossiers(world)
    before = {r["dossier_code"]: r for r in delivered(table, "2025-06-30")}
    after = {r["dossier_code"]: r for r in delivered(table, "2025-07-01")}
    moved = [key for key in before if before[key]["agency_code"] != after[key]["agency_code"]]
    assert len(moved) > 10
    for key in moved:
        assert str(after[key]["updated_at"])[:10] == "2025-07-01"
        assert before[key]["reception_agency_code"] == after[key]["reception_agency_code"] == before[key]["agency_code"]


def test_nobody_hands_over_what_was_settled(world: World) -> None:
    for row in delivered(dossiers(world), AS_OF):
        if row["agency_code"] != row["reception_agency_code"] and row["agency_code"] not in ("H99.1", "000.00.00.H99"):
            assert row["finished_at"] is None or row["finished_at"] >= "20241201"
    assert day_number(AS_OF) > REFORM
