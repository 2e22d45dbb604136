"""Where a build's incremental models start: at the last good build, or from nothing."""

from datetime import date

import pytest

from khochung import transform
from tests.toy_warehouse import Toy, server, toy

__all__ = ["server", "toy"]
GOOD = ("2025-09-29", "code", "succeeded")


def build(toy: Toy, loads_until: int, day: str, code: str, status: str) -> int:
    return int(
        toy.sql(
            "insert into ops.build (as_of, loads_until, code_sha256, status) "
            f"values ('{day}', {loads_until}, '{code}', '{status}') returning build_id",
            "operator",
        )[0][0]
    )


def load(toy: Toy, source: str, inserted: int) -> int:
    return int(
        toy.sql(
            "insert into ops.load (source_name, table_name, load_mode, origin, landing_file, landing_sha256, landing_bytes, "
            "as_of, extracted_rows, refused_rows, duplicate_rows, inserted_rows, updated_rows, unchanged_rows, "
            "tombstoned_rows, current_rows, contract_sha256, extracted_at, seconds) values "
            f"('{source}', 't', 'cursor', 'x', 'x', 'x', 1, '2025-09-30', {inserted}, 0, 0, {inserted}, 0, 0, 0, "
            f"{inserted}, 'x', now(), 1) returning load_id",
            "loader",
        )[0][0]
    )


def start(toy: Toy, build_id: int) -> int | None:
    return transform._loads_seen(toy.settings, transform.Build(build_id, date(2025, 9, 30), 0))


def this(toy: Toy, day: str = "2025-09-30", code: str = "code") -> int | None:
    return start(toy, build(toy, 100, day, code, "running"))


def test_the_first_build_starts_from_nothing(toy: Toy) -> None:
    assert this(toy) is None


def test_a_build_starts_where_the_last_good_one_ended(toy: Toy) -> None:
    build(toy, 5, "2025-09-28", "code", "succeeded")
    build(toy, 7, *GOOD)
    build(toy, 9, "2025-09-30", "code", "failed")
    assert this(toy) == 7


@pytest.mark.parametrize(
    ("status", "day", "code"),
    [
        ("failed", "2025-09-30", "other code"),
        ("failed", "2025-10-01", "code"),
        ("succeeded", "2025-10-01", "code"),
        ("succeeded", "2025-09-29", "other code"),
    ],
)
def test_what_a_build_of_other_code_or_of_a_later_day_left_is_not_built_upon(
    toy: Toy, status: str, day: str, code: str
) -> None:
    build(toy, 7, *GOOD)
    build(toy, 9, day, code, status)
    assert this(toy) is None


def test_other_code_starts_from_nothing(toy: Toy) -> None:
    build(toy, 7, *GOOD)
    assert this(toy, code="new code") is None


def test_a_change_of_the_list_of_communes_starts_from_nothing(toy: Toy) -> None:
    before = load(toy, "admin", 3)
    build(toy, before, *GOOD)
    load(toy, "land", 3)
    load(toy, "admin", 0)
    assert this(toy) == before
    load(toy, "admin", 1)
    assert this(toy) is None


def test_a_new_year_starts_from_nothing(toy: Toy) -> None:
    """A number is that of somebody born by the end of the year: macro `usable_number`."""
    build(toy, 7, "2025-12-31", "code", "succeeded")
    assert this(toy, day="2025-12-31") == 7
    assert this(toy, day="2026-01-01") is None


def test_another_key_of_the_pseudonyms_starts_from_nothing(toy: Toy) -> None:
    build(toy, 7, *GOOD)
    later = build(toy, 9, "2025-09-30", "code", "running")
    toy.sql(f"update ops.build set pseudonym_check = 'another' where build_id = {later}", "operator")
    assert start(toy, later) is None
