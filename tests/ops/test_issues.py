"""`khochung issues`: what is open at whom, since when, and which way it goes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from khochung import cli, postgres, warehouse
from khochung.settings import Settings
from tests.ops.issue_log import fill

POLICE = {"source_name": "population", "table_name": "resident", "agency": "Công an tỉnh"}
LOG: list[dict[str, Any]] = [
    {"record_key": "1", "open_since": "2025-09-20"},
    {"record_key": "2", "severity": "critical"},
    {"record_key": "3", "issue_code": "WHITESPACE", "severity": "info", "closed_at": "2025-09-30"},
    {"record_key": "4", "issue_code": "WHITESPACE", "severity": "info", "table_name": "parcel_use", "closed_at": "2025-09-30"},
    POLICE | {"record_key": "5", "open_since": "2025-09-30"},
]  # fmt: skip
TREND = """
    truncate ops.build restart identity cascade;
    insert into ops.build (as_of, loads_until, code_sha256, status) values
        ('2025-09-29', 0, 'x', 'succeeded'), ('2025-09-30', 0, 'x', 'failed'), ('2025-10-01', 0, 'x', 'running');
    insert into ops.issue_trend values
        (1, 'land', 'parcel', 'CODE_UNKNOWN', 1, 1, 0), (1, 'land', 'parcel', 'WHITESPACE', 1, 1, 0),
        (2, 'land', 'parcel', 'CODE_UNKNOWN', 2, 1, 0), (2, 'land', 'parcel', 'WHITESPACE', 0, 0, 1),
        (2, 'population', 'resident', 'CODE_UNKNOWN', 1, 1, 0);
"""


@pytest.fixture
def settings(server: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    address = postgres.admin_dsn(server, warehouse.DATABASE)
    monkeypatch.setenv("KHOCHUNG_WAREHOUSE_DSN", address)
    monkeypatch.setenv("KHOCHUNG_HOME", str(tmp_path))
    made = Settings(tmp_path, address)
    fill(made, LOG)
    with warehouse.connect(made) as connection:
        connection.execute(TREND)
    yield made
    with warehouse.connect(made) as connection:
        connection.execute("truncate ops.build restart identity cascade")


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["issues", *arguments])


def told(*arguments: str) -> dict[str, list[dict[str, Any]]]:
    answer = ask("--json", *arguments)
    assert answer.exit_code == 0, answer.output
    found: dict[str, list[dict[str, Any]]] = json.loads(answer.output)
    return found


def test_kinds_of_issues_with_their_age_and_what_the_newest_build_did(settings: Settings) -> None:
    names = ("agency", "source", "table", "code", "severity", "open", "opened", "closed", "oldest_days")
    land = ("Sở Nông nghiệp và Môi trường", "land", "parcel")
    assert [tuple(kind[name] for name in names) for kind in told()["issues"]] == [
        ("Công an tỉnh", "population", "resident", "CODE_UNKNOWN", "warning", 1, 1, 0, 0),
        (*land, "CODE_UNKNOWN", "critical", 2, 1, 0, 29),
        (*land, "WHITESPACE", "info", 0, 0, 1, None),  # what was mended is told once; parcel_use long before
    ]


def test_the_trend_of_a_source_from_build_to_build(settings: Settings) -> None:
    assert [tuple(step.values()) for step in told()["trend"]] == [
        (1, "2025-09-29", "land", 2, 2, 0), (2, "2025-09-30", "land", 2, 1, 1), (2, "2025-09-30", "population", 1, 1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [("--agency", "công an tỉnh"), ("--agency", "cong-an-tinh"), ("--source", "population")]
)
def test_narrowed_to_an_agency_or_a_source(settings: Settings, arguments: tuple[str, str]) -> None:
    found = told(*arguments)
    assert [kind["source"] for kind in found["issues"]] == ["population"]
    assert [step["source"] for step in found["trend"]] == ["population"]


def test_people_read_a_table(settings: Settings) -> None:
    answer = ask()
    assert answer.exit_code == 0
    for words in (
        "Sở Nông nghiệp và Môi trường",
        "land.parcel",
        "nghiêm trọng",
        "Tổng cộng 3 lỗi đang mở",
        "2 (+1 −1)",
    ):
        assert words in answer.output


def test_nothing_open_is_no_failure(settings: Settings) -> None:
    fill(settings, [])
    assert "Tổng cộng 0 lỗi đang mở" in ask().output
    assert told()["issues"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--agency", "Sở Lạ"), "no agency 'Sở Lạ' owns a source: known are Bảo hiểm xã hội tỉnh, Công an tỉnh, "),
        (("--source", "x"), "no source x"),
    ],
)
def test_an_unknown_name_is_told_the_known_ones(settings: Settings, arguments: tuple[str, str], words: str) -> None:
    answer = ask(*arguments)
    assert answer.exit_code == 1
    assert words in answer.output


def test_before_the_first_build_there_is_no_log(settings: Settings) -> None:
    with warehouse.connect(settings) as connection:
        connection.execute("drop table quality.issue")
    answer = ask()
    assert answer.exit_code == 1
    assert "there is no issue log yet" in answer.output
