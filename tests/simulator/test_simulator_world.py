"""The world: deterministic, moved by the day only where something happened, calibrated to printed figures."""

import csv
import unicodedata
from collections import Counter
from collections.abc import Callable

import pytest
from simulator_home import AS_OF, SCALE, SEED, Built, Row, delivered

from simulator import province as provinces
from simulator.build import World, generate
from simulator.clock import REFORM, add_working_days, working_days
from simulator.columns import day_number
from simulator.delivery import Table
from simulator.units import load, unit_rows
from simulator.world.people import population_per_cell

Maker = Callable[[str, float, int], Built]


def test_same_seed_gives_the_same_bytes(make: Maker, built: Built, tmp_path_factory: pytest.TempPathFactory) -> None:
    from simulator.build import Settings, build

    home = tmp_path_factory.mktemp("again")
    again = Settings(home, SCALE, AS_OF, SEED)
    build(again)
    for name in ("population__resident.records", "procedures__dossier.records"):
        assert (again.cache / name).read_bytes() == (built.settings.cache / name).read_bytes()
    files = sorted(p.relative_to(home) for p in (home / "drops").rglob("*") if p.is_file())
    assert len(files) > 30
    for name in files:
        assert (home / name).read_bytes() == (built.home / name).read_bytes(), name


def test_another_seed_gives_other_people(world: World) -> None:
    other = generate(SEED + 1, SCALE)
    first = {r["personal_id"] for r in delivered(world.streamed[0])[:500]}
    second = {r["personal_id"] for r in delivered(other.streamed[0])[:500]}
    assert len(first & second) < 50


def tables(world: World) -> list[Table]:
    return [*world.streamed, *world.land, world.enterprise, world.enterprise_event]


@pytest.mark.parametrize("number", range(8))
def test_one_day_changes_only_what_happened_that_day(world: World, number: int) -> None:
    table = tables(world)[number]
    stamp = next((f for f in ("updated_at", "thoi_diem_cap_nhat") if f in table.layout.fields), None)
    before, after = (
        Counter(tuple(row.values()) for row in delivered(table, day))
        for day in ("2025-09-29" if stamp else "2025-09-15", "2025-09-30")
    )
    position = list(table.layout.fields).index(stamp) if stamp else None
    fresh = list((after - before).keys())
    assert fresh
    if position is not None:
        assert {str(row[position])[:10] for row in fresh} == {"2025-09-30"}
    assert len(fresh) < 0.05 * sum(after.values())
    gone = sum((before - after).values())
    assert gone <= len(fresh)


def test_units_in_three_vintages() -> None:
    def count(day: str, province: str) -> int:
        rows = [r for r in unit_rows("2026-01-01", provinces.load()) if r["cap"] == "XA" and r["ma_tinh"] == province]
        return sum(r["tu_ngay"] <= day and (not r["den_ngay"] or r["den_ngay"] >= day) for r in rows)

    assert [count(d, "80") for d in ("2024-11-30", "2024-12-01", "2025-06-30", "2025-07-01")] == [
        188,
        186,
        186,
        96,
    ]
    assert [count(d, "72") for d in ("2024-11-30", "2025-06-30", "2025-07-01")] == [94, 94, 0]


def test_code_list_does_not_tell_the_future() -> None:
    rows = unit_rows("2025-06-30", provinces.load())
    assert max(r["tu_ngay"] for r in rows) < "2025-07-01"
    assert {r["ma"] for r in rows if r["den_ngay"]} == {"27688", "28006"}


def test_crosswalk_has_22_real_splits(built: Built) -> None:
    path = next((built.home / "drops" / "admin").glob("bien_dong_dvhc_*.csv"))
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    reform = [r for r in rows if r["ngay_hieu_luc"] == "2025-07-01"]
    pairs = Counter(r["ma_cu"] for r in reform)
    assert (len(pairs), sum(n > 1 for n in pairs.values()), len({r["ma_moi"] for r in reform})) == (
        280,
        22,
        96,
    )
    assert Counter(r["ma_cu"] for r in reform if r["phan_chinh"] == "true") == Counter(dict.fromkeys(pairs, 1))
    moved = [(r["ma_moi"], r["dan_so"]) for r in rows if r["ma_cu"] == "28006"]
    assert moved == [("28003", "303"), ("28009", "396"), ("28012", "1011")]
    assert all(unicodedata.is_normalized("NFC", path.read_text(encoding="utf-8")) for path in [path])


def test_places_resolve_to_units_in_force() -> None:
    import numpy as np

    units = load()
    cell = np.repeat(np.arange(units.cells), 50)
    u = np.tile(np.arange(50) / 50, units.cells)
    legacy = set(units.resolve(cell, u, np.full(len(cell), REFORM - 1)).tolist())
    present = set(units.resolve(cell, u, np.full(len(cell), REFORM)).tolist())
    assert (len(legacy), len(present)) == (280, 96)


@pytest.mark.parametrize("scale", [0.005, 1.0])
def test_population_is_exact_at_any_scale(scale: float) -> None:
    units = load()
    cells = population_per_cell(units, scale)
    for number, part in enumerate(units.of.parts):
        assert int(cells[units.part == number].sum()) == round(part.population * scale)


def _long_an(rows: list[Row], first: str, last: str) -> list[Row]:
    return [
        r for r in rows
        if str(r["reception_agency_code"]).startswith("H39") and first <= str(r["received_at"])[:8] <= last
    ]  # fmt: skip


@pytest.mark.parametrize("scale", [0.005, 0.01, 0.02])
def test_dossiers_meet_the_printed_figures(scale: float) -> None:
    rows = delivered(generate(SEED, scale).streamed[2])
    window = _long_an(rows, "20240101", "20240314")
    assert len(window) == round(64_022 * scale)
    online = [r for r in window if r["channel_code"] == "2"]
    assert len(online) == round(62_968 * scale)
    of_service = [len({r["procedure_code"] for r in part}) for part in (window, online)]
    assert of_service == [min(386, 375 + len(window) - len(online)), 375] if scale > 0.006 else of_service[1] < 375
    quarter = _long_an(rows, "20240101", "20240331")
    assert sum(r["digitised"] == "1" for r in quarter) / len(quarter) == pytest.approx(0.6056, abs=0.002)
    done = [r for r in quarter if r["status_code"] in ("9", "10")]
    assert sum(r["electronic_result"] == "1" for r in done) / len(done) == pytest.approx(0.6083, abs=0.002)
    settled = [r for r in _long_an(rows, "20240101", "20241231") if r["finished_at"] and r["finished_at"] < "2030"]
    in_time = sum(str(r["finished_at"]) <= str(r["due_at"]) for r in settled) / len(settled)
    assert in_time == pytest.approx(0.9999, abs=0.002)


def test_dossier_states_and_code_formats(world: World) -> None:
    rows = delivered(world.streamed[2])
    assert {str(n) for n in (2, 3, 4, 5, 7, 8, 9, 10)} <= {str(r["status_code"]) for r in rows}
    starts = {str(r["dossier_code"])[:6] for r in rows}
    assert "000.00" in starts and any(s.startswith("H39") for s in starts)
    assert any(len(str(r["dossier_code"]).split("-")[-1]) == 7 for r in rows)


def test_catalogue_counts(world: World) -> None:
    rows = world.procedure.records(day_number("2025-06-30"))

    def in_force(day: str) -> Counter[str]:
        def iso(text: str | None) -> str:
            return "-".join(reversed(text.split("/"))) if text else "9999"

        return Counter(
            str(r["service_level"]) for r in rows if iso(r["effective_from"]) <= day <= iso(r["effective_to"])
        )

    march, december = in_force("2024-03-14"), in_force("2024-12-31")
    assert (march.total(), march["TT"] + march["MP"]) == (1_850, 1_578)
    assert december == Counter(TT=857, MP=693, CC=208)


def test_every_dossier_names_an_agency_and_a_procedure_in_force(built: Built, world: World) -> None:
    spoiled = {d["record_key"] for d in built.defects() if d["table"] == "dossier"}
    agencies = world.agency.records(day_number(AS_OF))
    spans: dict[str, list[tuple[str, str]]] = {}
    for a in agencies:
        spans.setdefault(str(a["agency_code"]), []).append((str(a["valid_from"]), a["valid_to"] or "9999"))
    for row in delivered(world.streamed[2]):
        if row["dossier_code"] in spoiled or not row["received_at"]:
            continue
        text = row["received_at"]
        day = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
        assert any(a <= day <= b for a, b in spans[str(row["reception_agency_code"])]), row["dossier_code"]


def test_events_agree_with_the_register(built: Built, world: World) -> None:
    residents = {r["record_id"]: r for r in delivered(world.streamed[0])}
    spoiled = {d["record_key"] for d in built.defects() if d["source"] == "population"}
    for event in delivered(world.streamed[1]):
        if event["event_id"] in spoiled or event["record_id"] in spoiled:
            continue
        person = residents[event["record_id"]]
        if event["event_type"] == "KT":
            assert person["status_code"] == "2"
        if event["event_type"] == "DI":
            assert person["status_code"] == "3"
        if event["event_type"] == "KS":
            assert person["birth_date"] == event["event_date"]


def test_vital_rates(world: World) -> None:
    kinds = Counter(r["event_type"] for r in delivered(world.streamed[1]))
    years = (day_number(AS_OF) - day_number("2023-07-01")) / 365.25
    people = sum(part.population for part in provinces.load().parts) * SCALE
    assert kinds["KS"] / years / people * 1000 == pytest.approx(15, abs=1.5)
    assert kinds["KT"] / years / people * 1000 == pytest.approx(6.5, abs=1.2)


def test_land_sums_and_shares(world: World) -> None:
    parcels, uses, rights = (delivered(t) for t in world.land)
    assert len(uses) / len(parcels) == pytest.approx(1.3, abs=0.1)
    assert len(rights) / len(parcels) == pytest.approx(1.2, abs=0.05)
    recoded = sum(p["xa_id_cu"] is not None for p in parcels) / len(parcels)
    assert recoded == pytest.approx(0.48, abs=0.1)
    keys = {(p["xa_id_cu"] or p["xa_id"], p["so_to"], p["so_thua"]) for p in parcels}
    assert len(keys) / len(parcels) > 0.98


def test_former_cards_of_right_holders_are_those_of_the_resident_register(world: World) -> None:
    """The register lists the former card of most adults, so that most rights under a card can be linked."""
    cards = {row["old_id_card"] for row in delivered(world.streamed[0])}
    shown = [row["so_dinh_danh"] or "" for row in delivered(world.land[2])]
    former = [number for number in shown if len(number) == 9]
    assert sum(number in cards for number in former) / len(former) == pytest.approx(0.6, abs=0.1)


def test_working_days() -> None:
    import numpy as np

    tet = add_working_days(np.array([day_number("2024-02-07")]), np.array([1]))
    assert int(tet[0]) == day_number("2024-02-15")
    assert day_number("2024-05-04") in working_days(day_number("2024-05-01"), day_number("2024-05-05")).tolist()


def test_the_canary_is_like_nobody_else(world: World) -> None:
    people = delivered(world.streamed[0])
    names = [f"{person['surname']} {person['middle_name']} {person['given_name']}" for person in people]
    assert [name for name in names if {"Khướu", "Bạc", "Vàng"} & set(name.split())] == ["Khướu Bạc Má Vàng Anh"]
    assert [name for person, name in zip(people, names, strict=True) if person["birth_year"] == "1913"] == [
        "Khướu Bạc Má Vàng Anh"
    ]
