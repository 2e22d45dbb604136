"""The stand-in plays any province that has a folder: the same rules, other units, codes and figures."""

from collections import Counter
from pathlib import Path

import pytest
from simulator_home import AS_OF, delivered

from simulator import province, units
from simulator.build import Settings, World, build, generate
from simulator.world.people import population_per_cell

HAU_GIANG, MERGED = "93", "92"
SCALE = 0.002


@pytest.fixture(scope="module")
def world() -> World:
    return generate(92, SCALE, HAU_GIANG)


def test_a_part_asks_for_the_province_that_it_has_become() -> None:
    assert province.load(HAU_GIANG) is not None
    assert {province.load(code).code for code in ("92", "93", "94")} == {MERGED}
    assert {province.load(code).code for code in ("72", "80")} == {province.DEFAULT}
    with pytest.raises(ValueError, match="province 01"):
        province.load("01")


@pytest.mark.parametrize(("code", "former", "divided", "present"), [("80", 280, 22, 96), ("92", 263, 3, 103)])
def test_every_former_commune_has_a_present_one(code: str, former: int, divided: int, present: int) -> None:
    of = province.load(code)
    reform = [row for row in of.rows("unit_change.csv") if row["ngay_hieu_luc"] == "2025-07-01"]
    parts = Counter(row["ma_cu"] for row in reform)
    assert (len(parts), sum(n > 1 for n in parts.values()), len({row["ma_moi"] for row in reform})) == (
        former,
        divided,
        present,
    )
    listed = of.rows("units.csv")
    assert {row["ma_tinh"] for row in listed} == of.codes
    assert {row["ma_cu"] for row in reform} <= {row["ma"] for row in listed if row["den_ngay"] == "2025-06-30"}
    assert {row["ma_moi"] for row in reform} == {
        row["ma"] for row in listed if row["cap"] == "XA" and not row["den_ngay"]
    }


def test_its_population_is_that_of_its_parts() -> None:
    known = units.load(MERGED)
    cells = population_per_cell(known, 0.01)
    assert [int(cells[known.part == n].sum()) for n, _ in enumerate(known.of.parts)] == [
        round(part.population * 0.01) for part in known.of.parts
    ]


def test_codes_are_its_own(world: World) -> None:
    of = province.load(MERGED)
    dossiers = delivered(world.streamed[2])
    heads = {str(row["agency_code"])[:3] for row in dossiers if "H99" not in str(row["agency_code"])}
    assert heads == {part.agency_code for part in of.parts}
    own = [row for row in delivered(world.streamed[0]) if str(row["personal_id"])[:3] in ("092", "093", "094")]
    assert len(own) > 0.8 * len(delivered(world.streamed[0]))
    firms = {str(row["enterprise_code"])[:2] for row in delivered(world.enterprise)}
    assert {part.tax_prefix for part in of.parts} <= firms
    assert {str(row["kinh_tuyen_truc"]) for row in delivered(world.land[0])} >= {part.meridian for part in of.parts}


def test_nobody_arrives_from_the_province_itself(world: World) -> None:
    events = [row for row in delivered(world.streamed[1]) if row["event_type"] == "DEN"]
    assert events
    assert not {row["from_province"] for row in events} & province.load(MERGED).codes


def test_two_provinces_are_two_worlds(tmp_path: Path) -> None:
    built = [Settings(tmp_path / code, SCALE, AS_OF, 1, None, code) for code in ("80", "92")]
    assert built[0].world_key != built[1].world_key
    build(built[1])
    drops = sorted((tmp_path / "92" / "drops" / "admin").glob("don_vi_hanh_chinh_*.csv"))
    assert "Tỉnh Hậu Giang" in drops[0].read_text(encoding="utf-8")
    assert "Long An" not in drops[0].read_text(encoding="utf-8")
