"""Publishing from end to end on the toy warehouse."""

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from khochung import release, seal
from khochung.errors import GateError
from khochung.release import files, ledger, store
from khochung.strict import Text
from tests.toy_warehouse import Toy, expectation, write_suite

OCTOBER = date(2025, 10, 31)
MORE = "insert into open_data.toy_residents values ('27694', '1', 99, false)"


def states(made: release.Release) -> dict[str, tuple[str | None, str]]:
    return {item.slug: (item.version, item.state) for item in made.items}


def tree(folder: Path) -> dict[str, bytes]:
    root = folder.resolve()
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files.walk(root)}


def test_the_gate_and_the_release_work_together(toy: Toy) -> None:
    build_id = toy.build()
    verdicts = toy.judge(build_id)
    assert [verdict.passed for verdict in verdicts] == [True, True]
    made = toy.publish(build_id)
    assert made.created
    assert states(made) == {"dan-so-thu": ("2025.9.0", "new"), "don-vi-thu": ("2025.9.0", "new")}
    csv = (toy.settings.public / "data/dan-so-thu/latest/dan-so-thu.csv").read_text(encoding="utf-8")
    assert csv == (
        "commune_code,sex_code,residents,residents_suppressed\n"
        "25510,1,120,false\n25510,2,131,false\n28036,1,,true\n28036,2,15,false\n"
    )
    assert release.verify(toy.settings.public).versions == 2
    quality = json.loads((toy.settings.public / "data/don-vi-thu/latest/quality.json").read_text(encoding="utf-8"))
    assert [check["passed"] for check in quality["checks"]] == [True, False]
    withheld = json.loads((toy.settings.public / "data/dan-so-thu/latest/disclosure.json").read_text(encoding="utf-8"))
    assert (withheld["measure_cells"], withheld["suppressed_cells"]) == (4, 1)
    recorded = toy.sql("select slug, version, state, data_rows from ops.release_item order by slug", "operator")
    assert recorded == [("dan-so-thu", "2025.9.0", "new", 4), ("don-vi-thu", "2025.9.0", "new", 3)]


def test_the_same_data_give_no_new_release(toy: Toy) -> None:
    first = toy.release()
    before = tree(toy.settings.public)
    second = toy.release(OCTOBER)
    assert not second.created
    assert second.release_id == first.release_id
    assert states(second) == {
        "dan-so-thu": ("2025.9.0", "unchanged"),
        "don-vi-thu": ("2025.9.0", "unchanged"),
    }
    assert tree(toy.settings.public) == before
    assert store.identifiers(toy.settings) == [first.release_id]


def test_only_what_changed_is_new_and_old_versions_keep_their_place(toy: Toy) -> None:
    toy.release()
    old = tree(toy.settings.public)
    toy.sql(MORE)
    made = toy.release(OCTOBER)
    assert states(made) == {"dan-so-thu": ("2025.10.0", "new"), "don-vi-thu": ("2025.9.0", "unchanged")}
    new = tree(toy.settings.public)
    immutable = {name: data for name, data in old.items() if "/v/" in name}
    assert immutable.items() <= new.items()
    assert new["data/dan-so-thu/latest/dan-so-thu.csv"] != old["data/dan-so-thu/latest/dan-so-thu.csv"]
    index = json.loads(new["data/dan-so-thu/versions.json"])
    assert [v["version"] for v in index["versions"]] == ["2025.10.0", "2025.9.0"]


def test_the_eleventh_patch_of_a_month_is_newer_than_the_tenth(toy: Toy) -> None:
    toy.release()
    for count in range(1, 12):
        toy.sql(
            f"update open_data.toy_residents set residents = {100 + count} where commune_code = '28036' and sex_code = '2'"
        )
        made = toy.release()
    assert states(made)["dan-so-thu"] == ("2025.9.11", "new")
    assert len(store.identifiers(toy.settings)) == store.KEEP
    versions = json.loads((toy.settings.public / "data/dan-so-thu/versions.json").read_text(encoding="utf-8"))
    assert (versions["latest"], len(versions["versions"])) == ("2025.9.11", 12)


def test_two_installations_write_the_same_bytes(toy: Toy, tmp_path: Path) -> None:
    toy.release()
    first = tree(toy.settings.public)
    toy.sql("create table staging.shuffled as select * from open_data.toy_units order by unit_name desc")
    toy.sql(
        "truncate open_data.toy_units; insert into open_data.toy_units select * from staging.shuffled; drop table staging.shuffled"
    )
    other = Toy(type(toy.settings)(tmp_path / "other", toy.settings.warehouse_dsn), toy.suites, toy.datasets)
    other.settings.home.mkdir()
    seal.KEY.make(other.settings)
    assert other.release(OCTOBER).created
    second = tree(other.settings.public)
    names = [
        f"data/{slug}/latest/{slug}.{suffix}"
        for slug in toy.datasets
        for suffix in ("csv", "csv.gz", "json", "parquet")
    ]
    assert [first[name] == second[name] for name in names] == [True] * len(names)


def test_a_dataset_without_a_verdict_for_this_build_is_held(toy: Toy) -> None:
    toy.release()
    toy.sql(MORE)
    build_id = toy.build(OCTOBER)
    toy.verdict(build_id, "don-vi-thu")
    made = toy.publish(build_id, OCTOBER)
    assert states(made) == {"dan-so-thu": ("2025.9.0", "held"), "don-vi-thu": ("2025.9.0", "unchanged")}
    page = (toy.settings.public / "en/dataset/dan-so-thu/index.html").read_text(encoding="utf-8")
    assert "There is no verdict for this build" in page
    assert "99" not in (toy.settings.public / "data/dan-so-thu/latest/dan-so-thu.csv").read_text(encoding="utf-8")


def test_a_failed_dataset_is_held_and_says_why(toy: Toy) -> None:
    toy.sql("update open_data.toy_residents set residents = 3 where residents = 15")
    build_id = toy.build()
    toy.judge(build_id)
    made = toy.publish(build_id)
    assert states(made) == {"dan-so-thu": (None, "held"), "don-vi-thu": ("2025.9.0", "new")}
    assert "Rule expect_column_values_to_be_between" in (made.items[0].reason or "")
    status = json.loads((toy.settings.public / "api/v1/status.json").read_text(encoding="utf-8"))
    assert [(d["state"], d["passed"]) for d in status["datasets"]] == [("held", False), ("current", True)]
    assert not (toy.settings.public / "data/dan-so-thu/latest").exists()


def test_a_suite_that_changed_after_the_verdict_holds_the_dataset(toy: Toy) -> None:
    build_id = toy.build()
    toy.pass_all(build_id)
    write_suite(toy.suites, "don-vi-thu", expectation("expect_table_row_count_to_be_between", min_value=0))
    made = toy.publish(build_id)
    assert states(made)["don-vi-thu"] == (None, "held")
    assert "judged again" in (made.items[1].reason or "")


def test_the_newest_verdict_of_a_build_counts(toy: Toy) -> None:
    build_id = toy.build()
    toy.pass_all(build_id)
    toy.verdict(build_id, "don-vi-thu", passed=False)
    assert states(toy.publish(build_id))["don-vi-thu"] == (None, "held")
    toy.verdict(build_id, "don-vi-thu")
    assert states(toy.publish(build_id))["don-vi-thu"] == ("2025.9.0", "new")


def test_only_the_newest_build_can_be_released(toy: Toy) -> None:
    build_id = toy.build()
    toy.pass_all(build_id)
    newer = toy.build()
    with pytest.raises(GateError, match=f"build {newer} has started"):
        toy.publish(build_id)
    with pytest.raises(GateError, match="no build 99"):
        toy.publish(99)


def test_the_day_never_moves_back(toy: Toy) -> None:
    toy.release(OCTOBER)
    with pytest.raises(GateError, match="latest never moves back"):
        toy.release(date(2025, 9, 30))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("alter table open_data.toy_units drop column share", "does not match its declaration"),
        ("insert into open_data.toy_units select * from open_data.toy_units", "repeat a key"),
        ("update open_data.toy_units set unit_name = ''", "an empty text"),
        ("update open_data.toy_units set share = 0.12345678901234567890", "more digits than a double"),
        ("update open_data.toy_units set share = 'NaN'", "not finite"),
    ],
)
def test_data_that_no_format_can_carry_hold_one_dataset_only(toy: Toy, change: str, message: str) -> None:
    toy.sql(change)
    made = toy.release()
    assert states(made) == {"dan-so-thu": ("2025.9.0", "new"), "don-vi-thu": (None, "held")}
    assert message in (made.items[1].reason or "")


@pytest.mark.parametrize("leak", ["080185001234", "301234567", "0912 345 678", "+84 912345678", "gọi 0272.3826.543"])
def test_an_identifier_in_the_data_stops_the_release(toy: Toy, leak: str) -> None:
    toy.release()
    before = os.readlink(toy.settings.public)
    toy.sql(f"update open_data.toy_units set unit_name = 'Xã {leak}' where unit_code = '25510'")
    with pytest.raises(GateError) as caught:
        toy.release()
    assert "looks like a" in str(caught.value)
    assert leak not in str(caught.value)
    assert os.readlink(toy.settings.public) == before


def test_a_dataset_that_is_no_longer_declared_keeps_its_addresses(toy: Toy) -> None:
    toy.release()
    del toy.datasets["don-vi-thu"]
    toy.release()
    assert (toy.settings.public / "data/don-vi-thu/v/2025.9.0/don-vi-thu.csv").is_file()
    assert "don-vi-thu" not in (toy.settings.public / "index.html").read_text(encoding="utf-8")


def test_rollback_makes_an_earlier_release_public_and_numbers_are_not_reused(toy: Toy) -> None:
    first = toy.release()
    toy.sql(MORE)
    second = toy.release()
    assert states(second)["dan-so-thu"] == ("2025.9.1", "new")
    release.rollback(toy.settings, first.release_id)
    assert store.standing_id(toy.settings) == first.release_id
    shown = {row["release_id"]: row["public"] for row in release.list_releases(toy.settings)}
    assert shown == {first.release_id: True, second.release_id: False}
    toy.sql("delete from open_data.toy_residents where commune_code = '28036'")
    third = toy.release()
    assert states(third)["dan-so-thu"] == ("2025.9.2", "new")
    assert not (toy.settings.public / "data/dan-so-thu/v/2025.9.1").exists()


def test_rollback_refuses_a_damaged_release_and_an_unknown_one(toy: Toy) -> None:
    first = toy.release()
    toy.sql(MORE)
    second = toy.release()
    (toy.settings.releases / first.release_id / "index.html").unlink()
    with pytest.raises(GateError, match=r"index\.html"):
        release.rollback(toy.settings, first.release_id)
    with pytest.raises(GateError, match="kept are"):
        release.rollback(toy.settings, "2020-01-01.1")
    assert store.standing_id(toy.settings) == second.release_id


def test_a_home_from_before_versions_had_a_history_says_what_to_do(toy: Toy) -> None:
    toy.release()
    path = store.manifest_path(toy.settings, "2025-09-30.1")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["state"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(GateError, match="move releases/ and public aside, keep them, and release anew"):
        toy.release()
    toy.settings.releases.rename(toy.settings.home / "earlier")
    toy.settings.public.unlink()
    assert states(toy.release())["don-vi-thu"] == ("2025.9.1", "new")


def test_the_notice_stands_on_every_page(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHOCHUNG_NOTICE", "Người trong dữ liệu là giả lập.")
    toy.release()
    assert "Người trong dữ liệu là giả lập." in (toy.settings.public / "index.html").read_text(encoding="utf-8")
    build_id = toy.build()
    toy.pass_all(build_id)
    assert toy.publish(build_id, notice=Text(vi="Khác", en="Other")).created


CUTS: dict[str, tuple[Any, str]] = {
    "before the partial folder": (store, "partial"),
    "while linking": (files, "link_tree"),
    "at the first checksums": (files, "checksums"),
    "before the manifest": (files, "replace"),
    "before the rename": (os, "rename"),
    "before the pointer": (os, "replace"),
    "before the ledger": (ledger, "record"),
    "before the pruning": (store, "prune"),
}


def killed(work: Callable[[], Any], place: Any, name: str, nth: int) -> int:
    """Run `work` in a child that dies, as by kill -9, at the nth call of `place.name`; its exit status."""
    child = os.fork()
    if child == 0:
        real, calls = getattr(place, name), iter(range(1, 10_000))

        def deadly(*arguments: Any, **options: Any) -> Any:
            return os._exit(9) if next(calls) == nth else real(*arguments, **options)

        try:
            setattr(place, name, deadly)
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(
    ("cut", "nth"), [(cut, 1) for cut in CUTS] + [("before the pointer", 2), ("at the first checksums", 2)]
)
def test_a_kill_at_any_point_is_healed_by_the_next_call(toy: Toy, cut: str, nth: int) -> None:
    toy.release()
    before = tree(toy.settings.public)
    toy.sql(MORE)
    build_id = toy.build(OCTOBER)
    toy.pass_all(build_id)
    assert killed(lambda: toy.publish(build_id, OCTOBER), *CUTS[cut], nth) == 9
    public = tree(toy.settings.public)
    assert public == before or "data/dan-so-thu/v/2025.10.0/dan-so-thu.csv" in public
    release.verify(toy.settings.public)
    made = toy.publish(build_id, OCTOBER)
    assert states(made)["dan-so-thu"][0] == "2025.10.0"
    assert len(store.identifiers(toy.settings)) == 2
    assert not list(toy.settings.releases.glob(".partial-*"))
    recorded = {row[0] for row in toy.sql("select release_id from ops.release", "operator")}
    assert recorded == set(store.identifiers(toy.settings))
    assert release.verify(toy.settings.public).versions == 3


@pytest.mark.parametrize("nth", [1, 2, 5, 9, 14, 20, 26])
def test_a_kill_between_any_two_files_leaves_no_trace(toy: Toy, nth: int) -> None:
    build_id = toy.build()
    toy.pass_all(build_id)
    assert killed(lambda: toy.publish(build_id), files, "write", nth) == 9
    assert not toy.settings.public.exists()
    toy.publish(build_id)
    assert release.verify(toy.settings.public).versions == 2
