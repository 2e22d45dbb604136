"""Figures on the pages of communes: their periods, their place in the province, and what is not said of too few cells."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from khochung.portal import indicators, score, table
from khochung.portal.press import Press
from khochung.portal.table import Table, Total
from khochung.portal.words import Speech
from khochung.release.catalogue import Entry
from khochung.strict import Text
from tests.portal import sample

MONTHS, SNAPSHOTS = "dan-so-theo-xa", "su-dung-dat-theo-xa"
VI = Speech("vi")


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Press:
    root = tmp_path_factory.mktemp("indicators")
    declared = sample.datasets()
    wanted = {MONTHS, SNAPSHOTS, "don-vi-hanh-chinh", "chuyen-doi-don-vi-hanh-chinh"}
    return Press(sample.make(root, {n: d for n, d in declared.items() if d.slug in wanted}, formats=("csv",)), root)


def series_of(values: dict[str, dict[str, int]], press: Press, withheld: int = 0) -> indicators.Series:
    """A series of residents: period -> commune -> value; `withheld`: cells of ten that are empty in each."""
    entry = press.by_slug[MONTHS]
    measure = next(c for c in entry.dataset.columns if c.name == "residents")
    time = next(c for c in entry.dataset.columns if c.name == "month_end")
    totals = {p: {c: Total(Decimal(v), withheld, 10) for c, v in by.items()} for p, by in values.items()}
    return indicators.Series(measure, time, totals)


def test_a_figure_is_compared_with_the_province_and_with_earlier_periods(press: Press) -> None:
    one = series_of(
        {
            "2024-09-30": {"A": 80, "B": 100},
            "2025-08-31": {"A": 110, "B": 100},
            "2025-09-30": {"A": 100, "B": 300, "C": 100},
        },
        press,
    )
    found = indicators.figure(VI, one, "A")
    assert found is not None
    assert (found.value, found.period, found.share, found.rank) == ("100", "9/2025", "20,0%", (2, 3))
    assert found.changes == (("8/2025", "−9,1%"), ("9/2024", "+25,0%"))
    assert found.rows == (("9/2025", "100", "500"), ("8/2025", "110", "210"), ("9/2024", "80", "180"))
    assert found.trend is not None and len(found.trend.rows) == 3
    young = indicators.figure(VI, one, "C")
    assert young is not None and young.trend is None and young.changes == () and len(young.rows) == 1
    assert indicators.figure(VI, one, "D") is None


def test_of_what_is_mostly_withheld_nothing_is_compared(press: Press) -> None:
    months = {"2025-07-31": {"A": 80}, "2025-08-31": {"A": 90}, "2025-09-30": {"A": 100}}
    shown = indicators.figure(VI, series_of(months, press, withheld=1), "A")
    hidden = indicators.figure(VI, series_of(months, press, withheld=2), "A")
    assert shown and shown.share and shown.trend and shown.withheld == 1
    assert hidden and hidden.withheld == 2
    assert (hidden.share, hidden.rank, hidden.changes, hidden.trend, hidden.rows) == (None, None, (), None, ())


def test_shares_and_prices_have_a_middle_and_no_sum(press: Press) -> None:
    one = series_of({"2025-09-30": {"A": 10, "B": 20, "C": 60}}, press)
    percent = replace(one, measure=one.measure.model_copy(update={"unit": "%"}))
    found = indicators.figure(VI, percent, "A")
    assert found and (found.share, found.middle, found.rank) == (None, "20", (3, 3))


def test_a_dataset_with_time_tells_its_own_past(press: Press) -> None:
    (residents,) = indicators.series(press, press.by_slug[MONTHS])
    assert residents.periods == ("2025-06-30", "2025-07-31", "2025-08-31", "2025-09-30")
    newest = press.newest(MONTHS)
    assert newest and residents.totals["2025-09-30"]["28075"] == newest.latest().where(
        "commune_code", "28075"
    ).total(residents.measure)  # fmt: skip


def released(entry: Entry, *days: date) -> Entry:
    versions = zip(entry.versions, days, strict=True)
    return replace(entry, versions=tuple(replace(version, released=day) for version, day in versions))


def test_a_snapshot_has_a_period_in_each_version_and_the_newest_word_counts(press: Press) -> None:
    entry = press.by_slug[SNAPSHOTS]
    two = indicators.series(press, released(entry, date(2025, 9, 30), date(2025, 8, 31)))
    assert [one.periods for one in two] == [("2025-08-31", "2025-09-30")] * 2
    assert [one.measure.name for one in two] == ["area_ha", "parcels"]
    before, after = (two[0].totals[period]["28075"].value for period in two[0].periods)
    assert after - before == 1
    corrected = indicators.series(press, released(entry, date(2025, 9, 30), date(2025, 9, 30)))
    assert corrected[0].totals["2025-09-30"] == two[0].totals["2025-09-30"] and len(corrected[0].periods) == 1


def test_versions_with_other_columns_are_not_lined_up(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = released(press.by_slug[SNAPSHOTS], date(2025, 9, 30), date(2025, 8, 31))
    read: Callable[[Entry, str], Table | None] = press.version
    monkeypatch.setattr(press, "version", lambda one, v: None if v == "2025.9.0" else read(one, v))
    assert indicators.series(press, entry)[0].periods == ("2025-09-30",)


def test_what_a_figure_is_made_of_stands_beside_the_province(press: Press) -> None:
    told = indicators.Told(press)
    found = told.about(VI, press.by_slug[SNAPSHOTS], "28075")
    newest = press.newest(SNAPSHOTS)
    assert found and newest
    (by_type,) = found.made_of
    area = indicators.series(press, press.by_slug[SNAPSHOTS])[0].measure
    rows = newest.where("commune_code", "28075")
    first = rows.values("land_type")[0]
    wanted = [table.where("land_type", first).total(area).value / table.total(area).value for table in (rows, newest)]
    assert (f"{VI.number(100 * wanted[0], 1)}%", f"{VI.number(100 * wanted[1], 1)}%") in {r.shown for r in by_type.rows}
    assert told.about(VI, press.by_slug[SNAPSHOTS], "00000") is None


def test_the_metadata_score_counts_what_is_there(press: Press) -> None:
    entry = press.by_slug[MONTHS]
    assert [one.question.vi for one in score.criteria(press, entry) if not one.met] == []
    late = replace(entry, held=Text(vi="Không đạt", en="Failed"))
    column = entry.dataset.columns[0].model_copy(update={"description_vi": ""})
    terse = entry.dataset.model_copy(update={"summary": Text(vi="Dân số", en="People"), "columns": (column,)})
    poor = replace(late, dataset=terse, versions=(replace(entry.versions[0], version="2024.1.0"),))
    assert [one.question.en for one in score.criteria(press, poor) if not one.met] == [
        "Updated in time", "Described at length in both languages", "Every file is there", "Every column is explained",
    ]  # fmt: skip


def test_what_rows_are_about_is_told_from_how_long_an_entry_is_valid() -> None:
    found = {slug: table.time_column(dataset) for slug, dataset in sample.datasets().items()}
    names = {slug: column.name if column else None for slug, column in found.items()}
    assert names["dan-so-theo-xa"] == "month_end" and names["tai-khoan-dinh-danh"] == "reported_on"
    assert names["don-vi-hanh-chinh"] is names["chuyen-doi-don-vi-hanh-chinh"] is None
