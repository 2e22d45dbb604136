"""The audit stands between the gate and the public, and the ledger remembers every cell that went out."""

import json
from datetime import date
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from khochung import contract
from khochung.disclosure import released
from khochung.disclosure.attack import attack
from khochung.release import files, signing, version
from tests.toy_warehouse import Toy

SLUG = "dan-so-thu"
OCTOBER = date(2025, 10, 31)
CELLS = "select version, coordinates ->> 'commune_code', coordinates ->> 'sex_code', value, low, high from ops.released_cell order by cell_id"


def with_policy(toy: Toy, **changes: Any) -> None:
    dataset = toy.datasets[SLUG]
    body = dataset.model_dump() | {"disclosure": dataset.disclosure.model_dump() | changes}
    toy.datasets[SLUG] = contract.Dataset.model_validate(body)


def statement(toy: Toy, slug: str = SLUG) -> dict[str, Any]:
    path = toy.settings.public / f"data/{slug}/latest/disclosure.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_every_cell_is_remembered_with_what_it_tells(toy: Toy) -> None:
    toy.release()
    assert [(*row[:3], row[3] and int(row[3]), *row[4:]) for row in toy.sql(CELLS, "operator")] == [
        ("2025.9.0", "25510", "1", 120, 117, 123), ("2025.9.0", "25510", "2", 131, 128, 134),
        ("2025.9.0", "28036", "1", None, 0, 12), ("2025.9.0", "28036", "2", 15, 12, 18),
    ]  # fmt: skip
    toy.sql("update open_data.toy_residents set residents = 122 where residents = 120")
    toy.release(OCTOBER)
    assert [row[:4] for row in toy.sql(CELLS, "operator")][4:] == [("2025.10.0", "25510", "1", 122)]
    assert [row[0] for row in toy.sql("select version from ops.released_version order by recorded_at", "operator")] == [
        "2025.9.0",
        "2025.10.0",
    ]


def test_nothing_is_taken_from_the_ledger(toy: Toy) -> None:
    toy.release()
    for statement_ in ("update ops.released_cell set value = 1", "delete from ops.released_version"):
        with pytest.raises(psycopg.errors.RaiseException, match="only grows"), released_admin(toy) as connection:
            connection.execute(statement_)


def released_admin(toy: Toy) -> Any:
    from khochung import warehouse

    return warehouse.connect(toy.settings)


def test_the_public_is_told_the_rules_the_verdict_and_the_cost(toy: Toy) -> None:
    toy.release()
    told = statement(toy)
    assert told["parameters"] == {"largest_noise": 3, "variance_of_noise": 2.0, "mean_size_of_noise": 1.1041}
    assert told["audit"] == {
        "passed": True, "cells_considered": 4, "withheld_cells_considered": 1, "cells_inferred": 0,
    }  # fmt: skip
    assert told["utility"]["withheld_share"] == 0.25
    assert told["rules"]["threshold"] == 10
    assert statement(toy, "don-vi-thu")["policy"]["reason"]["en"] == "A public list."
    assert "audit" not in statement(toy, "don-vi-thu")
    assert attack(toy.settings.public).leaks == ()


def test_parquet_tells_no_more_in_its_statistics_than_in_its_cells(toy: Toy) -> None:
    toy.release()
    metadata = pq.read_metadata(toy.settings.public / f"data/{SLUG}/latest/{SLUG}.parquet").to_dict()
    (group,) = metadata["row_groups"]
    residents = next(column for column in group["columns"] if column["path_in_schema"] == "residents")
    told = residents["statistics"]
    assert (told["min"], told["max"], told["null_count"], told["num_values"]) == (15, 131, 1, 3)


def test_what_everything_released_gives_away_is_held(toy: Toy) -> None:
    """A value that was withheld in September comes back in October: it is held, and September stays."""
    with_policy(toy, method="dominance", unit="parcel", threshold=0)
    toy.release()
    toy.sql("update open_data.toy_residents set residents = 7, residents_suppressed = false where residents is null")
    made = toy.release(OCTOBER)
    items = {item.slug: item for item in made.items}
    assert (items[SLUG].state, items[SLUG].version) == ("held", "2025.9.0")
    assert "1 cells could be inferred (returned 1)" in (items[SLUG].reason or "")
    assert "28036" not in (items[SLUG].reason or "")
    audits = toy.sql("select dataset, passed, leaks from ops.disclosure_audit order by audit_id", "operator")
    assert audits == [(SLUG, True, {}), (SLUG, False, {"returned": 1})]
    assert attack(toy.settings.public).leaks == ()


def test_what_is_known_already_does_not_hold_a_dataset_for_ever(toy: Toy) -> None:
    """Released before there was an audit: exact counts. The noisy ones that follow add nothing to what they tell."""
    toy.release()
    before = statement(toy)
    folder = toy.settings.public.resolve() / "data" / SLUG / "v" / "2025.9.0"
    old = {"policy": before["policy"] | {"method": "suppression"}}
    (folder / "disclosure.json").write_text(json.dumps(old), encoding="utf-8")
    sums = files.checksums(folder)
    (folder / "SHA256SUMS").write_bytes(sums)
    signature = signing.secret(toy.settings).sign(sums, version.comment(SLUG, "2025.9.0"))
    (folder / "SHA256SUMS.minisig").write_bytes(signature)
    with released_admin(toy) as connection:
        connection.execute("truncate ops.released_version cascade")
    toy.sql("update open_data.toy_residents set residents = 122 where residents = 120")
    assert {item.slug: item.state for item in toy.release(OCTOBER).items}[SLUG] == "new"
    assert [row[3:] for row in toy.sql(CELLS, "operator") if row[2] == "1"] == [
        (120, 120, 120), (None, 0, 9), (122, 119, 125), (None, 0, 12),
    ]  # fmt: skip


def test_a_kill_before_the_ledger_is_made_good(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(released, "catch_up", killed)
        toy.release()
    assert toy.sql(CELLS, "operator") == []
    assert not toy.release(OCTOBER).created
    assert len(toy.sql(CELLS, "operator")) == 4
