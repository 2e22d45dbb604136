"""An old version is corrected while a later one stays in force: its ledger, its difference, its verdict, its audit."""

import json
from datetime import date
from typing import Any

import pytest

from khochung import release
from khochung.contract import DatasetColumn
from khochung.disclosure import screen
from khochung.disclosure.audit import Leak
from khochung.errors import GateError
from khochung.release import store
from khochung.release.patch import patch
from khochung.strict import Text
from tests.toy_warehouse import Toy

SLUG = "dan-so-thu"
OCTOBER, NOVEMBER = date(2025, 10, 31), date(2025, 11, 30)
WHY = Text(vi="Ghi nhầm một xã.", en="One commune was recorded wrongly.")
MONTH = "insert into open_data.toy_residents select commune_code, sex_code, residents + {more}, residents_suppressed, '{day}' from open_data.toy_residents where month_end = '2025-09-30'"


@pytest.fixture
def series(toy: Toy) -> Toy:
    """Residents by month: September in 2025.9.0, and October besides in 2025.10.0, which is in force."""
    plain = toy.datasets[SLUG]
    label = Text(vi="Cuối tháng", en="Month-end")
    month = DatasetColumn(
        name="month_end", data_type="date", description="Month-end.", label=label, description_vi="Cuối tháng.", role="key"
    )  # fmt: skip
    toy.datasets[SLUG] = plain.model_copy(update={"columns": (month, *plain.columns)})
    toy.sql("alter table open_data.toy_residents add column month_end date default '2025-09-30'")
    suite = json.loads((toy.suites / f"{SLUG}.json").read_text(encoding="utf-8"))
    suite["expectations"].pop()
    (toy.suites / f"{SLUG}.json").write_text(json.dumps(suite), encoding="utf-8")
    toy.release()
    toy.sql(MONTH.format(more=20, day=OCTOBER))
    toy.release(OCTOBER)
    return toy


def correct(toy: Toy, version: str = "2025.9.0", slug: str = SLUG) -> release.Release:
    return patch(toy.settings, slug, version, WHY, datasets=toy.datasets, suites=toy.suites)


def judged(toy: Toy, day: date = NOVEMBER) -> int:
    build = toy.build(day)
    toy.pass_all(build)
    toy.approve(build)
    return build


def document(toy: Toy, path: str) -> Any:
    return json.loads((toy.settings.public / path).read_text(encoding="utf-8"))


def test_last_month_is_corrected_and_what_is_latest_stays(series: Toy) -> None:
    latest = (series.settings.public / f"data/{SLUG}/latest/{SLUG}.csv").read_bytes()
    old = (series.settings.public / f"data/{SLUG}/v/2025.9.0/{SLUG}.csv").read_bytes()
    series.sql("update open_data.toy_residents set residents = 17 where residents = 15")
    build = judged(series)
    made = correct(series)
    assert {item.slug: (item.version, item.state) for item in made.items} == {
        SLUG: ("2025.10.0", "unchanged"),
        "don-vi-thu": ("2025.9.0", "unchanged"),
    }
    index = document(series, f"data/{SLUG}/versions.json")
    assert (index["latest"], [v["version"] for v in index["versions"]]) == (
        "2025.10.0",
        ["2025.10.0", "2025.9.1", "2025.9.0"],
    )
    assert (series.settings.public / f"data/{SLUG}/latest/{SLUG}.csv").read_bytes() == latest
    folder = series.settings.public / f"data/{SLUG}/v"
    assert (folder / f"2025.9.0/{SLUG}.csv").read_bytes() == old
    corrected = (folder / f"2025.9.1/{SLUG}.csv").read_text(encoding="utf-8")
    assert "2025-09-30,28036,2,17,false" in corrected and "2025-10-31" not in corrected
    change = document(series, f"data/{SLUG}/v/2025.9.1/diff.json")
    assert (change["previous"], change["rows"]) == (
        "2025.9.0",
        {"added": 0, "removed": 0, "changed": 1, "unchanged": 3},
    )
    assert WHY.en in change["reason"]["en"]
    verdict, approval = series.sql(
        f"select max(verdict_id), (select max(approval_id) from ops.approval where slug = '{SLUG}') from ops.verdict "
        f"where build_id = {build} and subject = '{SLUG}'",
        "operator",
    )[0]
    assert document(series, f"data/{SLUG}/v/2025.9.1/provenance.json")["build"]["id"] == build
    assert document(series, f"data/{SLUG}/v/2025.9.1/quality.json")["passed"] is True
    assert document(series, f"data/{SLUG}/v/2025.9.1/disclosure.json")["audit"]["passed"] is True
    rows = series.sql(
        "select slug, version, corrects, release_id, build_id, verdict_id, approval_id, data_rows, reason_en from ops.patch",
        "operator",
    )
    said = f"A correction of 2025.9.0: {WHY.en}"
    assert rows == [(SLUG, "2025.9.1", "2025.9.0", made.release_id, build, verdict, approval, 4, said)]
    assert release.verify(series.settings.public).versions == 4


def test_both_editions_are_in_the_ledger_and_are_audited_together(series: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a cell that three versions speak of, the audit knows all that was said."""
    heard: list[tuple[float | None, ...]] = []
    audit = screen.audit

    def listening(tables: Any, crosswalk: Any) -> Any:
        for table in tables.values():
            heard.extend((*(w.value for w in words), table.cells[k].value) for k, words in table.before.items())
        return audit(tables, crosswalk)

    series.sql("update open_data.toy_residents set residents = residents + 9 where residents = 131")
    series.release(OCTOBER)
    series.sql("update open_data.toy_residents set residents = residents - 5 where residents = 140")
    judged(series)
    monkeypatch.setattr(screen, "audit", listening)
    correct(series)
    assert (131, 140, 135) in heard
    cells = 'select version, value from ops.released_cell where coordinates @> \'{"commune_code": "25510", "sex_code": "2"}\' and coordinates ->> \'month_end\' = \'2025-09-30\' order by cell_id'
    assert series.sql(cells, "operator") == [("2025.9.0", 131), ("2025.10.1", 140), ("2025.9.1", 135)]
    assert series.sql("select passed from ops.disclosure_audit order by audit_id desc limit 1", "operator") == [(True,)]


def test_what_the_gate_or_the_audit_holds_corrects_nothing(series: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    series.sql("update open_data.toy_residents set residents = 17 where residents = 15")
    before = store.identifiers(series.settings)
    series.build(NOVEMBER)
    with pytest.raises(GateError, match="There is no verdict for this build"):
        correct(series)
    judged(series)
    series.sql("update open_data.toy_residents set residents = 18 where residents = 17")
    with pytest.raises(GateError, match="The data have changed since this verdict"):
        correct(series)
    judged(series)
    leak = Leak(SLUG, "exact", "residents", (), 3, 3)
    with monkeypatch.context() as change:
        change.setattr(screen, "_judge", lambda trial, known, name, *_: screen.Screening(trial[name].rules, (leak,)))
        with pytest.raises(GateError, match="1 cells could be inferred"):
            correct(series)
    assert store.identifiers(series.settings) == before
    assert series.sql("select count(*) from ops.patch", "operator") == [(0,)]


def test_what_cannot_be_corrected_is_refused(series: Toy) -> None:
    judged(series)
    for version, slug, message in (
        ("2025.9.0", SLUG, "says the same of these periods; there is nothing to correct"),
        ("2025.10.0", SLUG, r"2025\.10\.0 is in force: its correction is the next version"),
        ("2025.8.0", SLUG, r"2025\.8\.0 is not public, or was corrected already"),
        ("2025.9.0", "no-such", "was never released"),
    ):
        with pytest.raises(GateError, match=message):
            correct(series, version, slug)
    series.sql("update open_data.toy_units set area_km2 = 11 where unit_code = '27694'")
    series.release(OCTOBER)
    judged(series)
    with pytest.raises(GateError, match="don-vi-thu is not a series"):
        correct(series, "2025.9.0", "don-vi-thu")


def test_releases_go_on_after_a_correction_and_its_number_is_spent(series: Toy) -> None:
    series.sql("update open_data.toy_residents set residents = 17 where residents = 15")
    judged(series)
    first = correct(series)
    with pytest.raises(GateError, match=r"the last of that month is 2025\.9\.1"):
        correct(series)
    release.rollback(series.settings, "2025-10-31.1")
    judged(series)
    assert correct(series).patches[0].version == "2025.9.2"
    again = series.release(NOVEMBER)
    assert {item.slug: item.version for item in again.items}[SLUG] == "2025.11.0"
    assert first.created and not series.release(NOVEMBER).created
    assert document(series, f"data/{SLUG}/versions.json")["latest"] == "2025.11.0"


def test_a_kill_after_the_link_moved_leaves_the_correction_recorded(
    series: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    series.sql("update open_data.toy_residents set residents = 17 where residents = 15")
    judged(series)
    with monkeypatch.context() as change:
        change.setattr("khochung.release.ledger.record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            correct(series)
    series.release(NOVEMBER)
    assert series.sql("select version from ops.patch", "operator") == [("2025.9.1",)]
