"""docs/adding-a-source.md to the letter: its files, its commands, and what it says of the result."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from khochung import warehouse
from khochung.settings import REPOSITORY, Settings
from tests.toy_warehouse import running

PAGE = (REPOSITORY / "docs" / "adding-a-source.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^\$ (khochung .+)$", PAGE, re.MULTILINE)
# What the DAG `warehouse` does up to the gate; every table of the other sources is there, and empty.
BUILD = """
from khochung import contract, gate, raw, transform, warehouse
from khochung.settings import Settings

settings, catalogue = Settings.from_environment(), contract.sources()
with warehouse.connect(settings, "loader") as connection:
    for source in catalogue.values():
        for table in source.tables:
            if not raw.align(connection, table):
                raw.create_tables(connection, table, {column.name: column.data_type for column in table.columns}, 1)
                raw.add_key(connection, table)
build = transform.begin(settings)
transform.run_layer(settings, build, "staging")
gate.judge_sources(settings, build.build_id, catalogue={"weather": catalogue["weather"]})
"""


@dataclass
class Newcomer:
    """Somebody who has copied the page's files into a project, and drops into a folder."""

    settings: Settings
    environment: dict[str, str]
    said: list[str]

    def run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with warehouse.connect(self.settings) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    project, drops = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("drops")
    for room in ("dbt_project", "expectations", "provinces"):
        shutil.copytree(REPOSITORY / room, project / room)
    for name, content in FILES.items():
        path = project / name if "/" in name else drops / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        os.utime(path, (0, 0))  # a file that was touched a moment ago would be waited for
    settings = Settings(tmp_path_factory.mktemp("home"))
    (settings.home / "as_of").write_text("2025-09-30\n", encoding="utf-8")
    with running(settings):
        yield _follow(settings, project, drops)


def _follow(settings: Settings, project: Path, drops: Path) -> Newcomer:
    environment = os.environ | {
        "KHOCHUNG_HOME": str(settings.home),
        "KHOCHUNG_PROJECT": str(project),
        "KHOCHUNG_SOURCE_WEATHER_FOLDER": str(drops),
    }
    person = Newcomer(settings, environment, [])
    program = str(Path(sys.executable).parent / "khochung")
    person.said = [person.run(program, *command.split()[1:]) for command in COMMANDS]
    person.run(sys.executable, "-c", BUILD)
    return person


def test_the_page_names_every_file_and_command() -> None:
    assert [Path(name).suffix for name in FILES] == [".yml", ".sql", ".sql", ".json", ".csv"]
    assert len(COMMANDS) == 3


def test_the_commands_know_the_new_source(newcomer: Newcomer) -> None:
    listed, checked, ingested = newcomer.said
    assert "weather (files, Sở Nông nghiệp và Môi trường): station_day" in listed
    assert "fields not in the contract: none" in checked
    assert "weather.station_day from mua_ngay_20250930.csv: extracted 5, refused 1" in ingested


def test_rows_are_loaded_and_add_up(newcomer: Newcomer) -> None:
    ledger = "select extracted_rows, refused_rows, inserted_rows, current_rows from ops.load"
    assert newcomer.query(ledger) == [(5, 1, 4, 4)]
    balance = (
        "select current_rows, accepted_rows, quarantined_rows from quality.reconciliation where source_name = 'weather'"
    )
    assert newcomer.query(balance) == [(4, 3, 1)]
    rows = newcomer.query("select station_code, rainfall_mm::float from staging.stg_weather__station_day order by 1, 2")
    assert rows == [("TA01", 0.0), ("TA01", 12.5), ("TN01", None)]


def test_defects_are_logged_for_the_owner(newcomer: Newcomer) -> None:
    found = newcomer.query(
        "select split_part(record_key, '#', 1), field, issue_code, severity, masked_value, agency from quality.issue "
        "where source_name = 'weather' order by issue_code"
    )
    owner = "Sở Nông nghiệp và Môi trường"
    assert found == [
        ("TN01|31/09/2025", "observed_on", "DATE_MALFORMED", "critical", "31/09/2025", owner),
        ("|30/09/2025", "station_code", "KEY_MISSING", "critical", "observed_on=30/09/2025; rainfall_mm=1,5", owner),
        ("TN01|29/09/2025", "rainfall_mm", "NUMBER_FORMAT", "warning", "vết", owner),
    ]
    held = newcomer.query("select record_key, issue_codes from quality.quarantine where source_name = 'weather'")
    assert held == [("TN01|31/09/2025", ["DATE_MALFORMED"])]


def test_a_verdict_is_recorded(newcomer: Newcomer) -> None:
    verdict = newcomer.query("select subject, passed, failed_severity, evaluated, failed from ops.verdict")
    assert verdict == [("weather__station_day", True, "warning", 3, 1)]
