"""Hậu Giang (93), a part of Cần Thơ since 1/7/2025, from its stand-in sources to a release: no line of code knows it."""

import csv
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from end_to_end.conftest import free_port
from starlette.testclient import TestClient

from khochung import contract, figures, gate, ingest, province, publication, services, transform, warehouse
from khochung.errors import ConfigurationError
from khochung.gate import approval
from khochung.portal.serve import application
from khochung.settings import Settings
from tests.release import conformity

HAU_GIANG, AS_OF, SCALE = "93", date(2025, 9, 30), 0.002
Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home that serves Hậu Giang, after every source was read, every layer built, judged and released."""
    settings = Settings(tmp_path_factory.mktemp("province"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIMULATOR_PORT", str(free_port()))
        patch.setenv("KHOCHUNG_HOME", str(settings.home))
        patch.setenv(province.VARIABLE, "")
        patch.setenv(approval.DEMONSTRATION, "test")
        province.serve(settings, HAU_GIANG)
        settings.pinned_day.write_text(AS_OF.isoformat(), encoding="utf-8")
        try:
            services.start_postgres(settings)
            for name, value in services.source_environment(settings).items():
                patch.setenv(name, value)
            stand_in = services.simulator(settings, SCALE, AS_OF.isoformat())
            services.start(settings, stand_in)
            services.wait_ready(settings, stand_in)
            _pipeline(settings)
            yield settings
        finally:
            services.stop_all(settings)


def _pipeline(settings: Settings) -> None:
    for source in contract.sources().values():
        for table in source.tables:
            assert list(ingest.ingest_table(settings, source, table, AS_OF))
    build = transform.begin(settings)
    transform.run_layer(settings, build, "staging")
    assert [verdict.subject for verdict in gate.judge_sources(settings, build.build_id) if not verdict.passed] == []
    transform.run_layer(settings, build, "marts")
    transform.run_layer(settings, build, "open_data")
    transform.finish(settings, build.build_id)
    gate.judge_datasets(settings, build.build_id)
    publication.release_build(settings, build.build_id)


@pytest.fixture(scope="module")
def ask(served: Settings) -> Ask:
    def rows(statement: str) -> list[tuple[Any, ...]]:
        with warehouse.connect(served, "analyst") as connection:
            return connection.execute(statement).fetchall()

    return rows


def test_every_dataset_is_public(served: Settings) -> None:
    states = json.loads((served.public / "api" / "v1" / "status.json").read_text(encoding="utf-8"))["datasets"]
    assert {state["slug"]: state["reason"] for state in states if state["state"] != "current"} == {}
    assert len(states) == len(contract.datasets())


def test_every_real_dataset_is_what_the_standards_ask_for(served: Settings) -> None:
    """DCAT-AP by its shapes, 405 of 405 points of the EU's metadata score, Data Package, frictionless, CSV on the Web."""
    public = served.public
    assert conformity.against_the_shapes(public) == []
    with TestClient(application(public)) as client:

        def answers(address: str) -> bool:
            return client.head(address.removeprefix(conformity.BASE)).status_code == 200

        lost = conformity.lost_points(public, True, answers)
    assert len(lost) == len(contract.datasets())
    assert {node: metrics for node, metrics in lost.items() if metrics} == {}
    assert {slug: found for slug, found in conformity.descriptions(public) if found} == {}


def test_places_are_points_that_every_catalogue_and_page_offers(served: Settings) -> None:
    """RFC 7946 by hand: WGS 84 with the longitude first, and each point that of its row."""
    slug, public = "don-vi-hanh-chinh", served.public
    path = next(public.glob(f"data/{slug}/v/*/{slug}.geojson"))
    collection = json.loads(path.read_text(encoding="utf-8"))
    with (path.parent / f"{slug}.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert collection["type"] == "FeatureCollection" and len(collection["features"]) == len(rows) > 100
    assert "approximate" in collection["note"]["en"]
    for feature, row in zip(collection["features"], rows, strict=True):
        assert list(feature["properties"]) == list(row)
        if feature["geometry"] is None:
            assert not (row["longitude"] and row["latitude"])
        else:
            longitude, latitude = feature["geometry"]["coordinates"]
            assert (longitude, latitude) == (float(row["longitude"]), float(row["latitude"]))
            assert 102 < longitude < 110 and 8 < latitude < 24, "in Việt Nam, and not turned round"
    address = f"/data/{slug}/v/{path.parent.name}/{slug}.geojson"
    for name in ("catalog.jsonld", "catalog.ttl", "data.json", "api/v1/catalog.json", f"bo-du-lieu/{slug}/index.html"):
        assert address in (public / name).read_text(encoding="utf-8"), name
    package = json.loads((path.parent / "datapackage.json").read_text(encoding="utf-8"))
    assert f"{slug}.geojson" in {resource["path"] for resource in package["resources"]}
    assert sum(1 for _ in public.glob("data/*/v/*/*.geojson")) == 1


def test_what_the_public_reads_names_this_province_and_no_other(served: Settings) -> None:
    pages = [served.public / name for name in ("index.html", "en/index.html", "catalog.jsonld", "data.json")]
    text = " ".join(page.read_text(encoding="utf-8") for page in pages)
    assert "Dữ liệu mở thành phố Cần Thơ" in text and "Open data of Cần Thơ City" in text
    assert "Ủy ban nhân dân thành phố Cần Thơ" in text
    assert not re.search(r"Long An|Tây Ninh|tayninh|\$[a-z]", text)


def test_history_is_kept_by_former_province(ask: Ask) -> None:
    assert ask("select distinct former_province from marts.dim_administrative_unit where level_code = 'XA' order by 1") == [
        ("92",), ("93",), ("94",),
    ]  # fmt: skip
    present = "select count(*) from marts.dim_administrative_unit where level_code = 'XA' and is_present"
    assert ask(present) == [(103,)]
    prefixes = "select distinct split_part(agency_code, '.', 1), former_province from marts.dim_agency where valid_to is not null"
    assert set(ask(prefixes)) == {("H13", "92"), ("H30", "93"), ("H51", "94")}
    published = "select distinct former_province from open_data.births_deaths_by_month order by 1"
    assert ask(published) == [("92",), ("93",), ("94",)]


def test_residents_of_every_former_province_are_counted_before_and_after(ask: Ask) -> None:
    counts = ask(
        "select unit.former_province, sum(stock.residents) filter (where month_end = '2025-06-30'), "
        "sum(stock.residents) filter (where month_end = '2025-07-31') "
        "from marts.fct_resident_month as stock inner join marts.dim_administrative_unit as unit using (commune_key) "
        "group by 1 order by 1"
    )
    assert [code for code, _, _ in counts] == ["92", "93", "94"]
    assert all(before > 1000 and abs(after - before) < 0.02 * before for _, before, after in counts)


def test_coordinates_under_the_meridian_of_a_neighbour_are_found(served: Settings) -> None:
    """Half a degree lies between Hậu Giang and Sóc Trăng, a quarter between Long An and Tây Ninh."""
    with (served.home / "simulator" / "injected_defects.csv").open(encoding="utf-8") as stream:
        spoilt = {row["record_key"] for row in csv.DictReader(stream) if row["code"] == "MERIDIAN_MISMATCH"}
    with warehouse.connect(served, "operator") as connection:
        found = connection.execute(
            "select record_key from quality.issue where issue_code = 'MERIDIAN_MISMATCH'"
        ).fetchall()
    assert spoilt
    assert {key for (key,) in found} == spoilt


def test_figures_of_another_province_are_not_held_against_it(served: Settings) -> None:
    found = {item.code: item for item in figures.figures(served)}
    assert "digital_teams_hau_giang" in found
    assert found["dossiers_online_share_2024_03_14"].province == "80"
    assert {item.computed for item in found.values() if item.province == "80"} == {None}


def test_a_home_serves_one_province(served: Settings) -> None:
    assert province.served().code == "92"
    assert province.serve(served, "94").code == "92"
    with pytest.raises(ConfigurationError, match="holds the data of province 92, not of 80"):
        province.serve(served, "72")
    assert os.environ[province.VARIABLE] == "92"
