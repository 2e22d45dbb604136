"""A small warehouse for tests: two datasets, their suites, and a server that lives as long as the test session."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from khochung import contract, gate, postgres, release, seal, transform, warehouse
from khochung.gate import approval, verdicts
from khochung.gate.admission import Gatekeeper
from khochung.settings import Settings

DATASETS = Path(__file__).parent / "release" / "toy"
TABLES = """
drop table if exists open_data.toy_residents, open_data.toy_units;
create table open_data.toy_residents (
    commune_code text, sex_code text, residents integer, residents_suppressed boolean
);
insert into open_data.toy_residents values
    ('25510', '1', 120, false), ('25510', '2', 131, false), ('28036', '1', null, true), ('28036', '2', 15, false);
create table open_data.toy_units (
    unit_code text, unit_name text, valid_from date, is_ward boolean, area_km2 numeric(12, 3), share numeric
);
insert into open_data.toy_units values
    ('28036', 'Xã Thủ Thừa', '2025-07-01', false, 1234.500, 0.25),
    ('25510', 'Xã "Trà Vong", cũ', '2025-07-01', null, null, 1e-7),
    ('27694', E'Phường Long An\\nhai dòng', '2025-07-01', true, 10, 3);
"""


@contextmanager
def running(settings: Settings) -> Iterator[Settings]:
    """A PostgreSQL server of its own with a bootstrapped warehouse."""
    postgres.start(settings)
    try:
        postgres.create_databases(settings, [warehouse.DATABASE])
        warehouse.bootstrap(settings)
        yield settings
    finally:
        postgres.stop(settings)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A server that lives as long as the test session."""
    with running(Settings(tmp_path_factory.mktemp("home"))) as settings:
        yield settings


@dataclass
class Toy:
    """The toy warehouse of one test: its releases lie in the test's own folder."""

    settings: Settings
    suites: Path
    datasets: dict[str, contract.Dataset]

    def sql(self, statement: str, role: warehouse.Role = "transformer") -> list[tuple[Any, ...]]:
        with warehouse.connect(self.settings, role) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def build(self, as_of: date = date(2025, 9, 30)) -> int:
        values = f"'{as_of}', 0, '{transform.code_sha256()}', 'succeeded'"
        statement = (
            f"insert into ops.build (as_of, loads_until, code_sha256, status) values ({values}) returning build_id"
        )
        return int(self.sql(statement, "operator")[0][0])

    def judge(self, build_id: int) -> list[gate.Verdict]:
        return gate.judge_datasets(self.settings, build_id, catalogue=self.datasets, folder=self.suites)

    def publish(
        self, build_id: int, as_of: date = date(2025, 9, 30), *, approved: bool = True, **options: Any
    ) -> release.Release:
        if approved:
            self.approve(build_id)
        return release.publish(self.settings, build_id, as_of, datasets=self.datasets, suites=self.suites, **options)

    def gatekeeper(self, ledger: warehouse.Connection, build_id: int) -> Gatekeeper:
        return Gatekeeper(self.settings, ledger, build_id, self.suites)

    def approve(self, build_id: int) -> None:
        """Somebody has looked at every dataset as it stands, where somebody has to."""
        with warehouse.connect(self.settings, "operator", autocommit=True) as ledger:
            for case in self.gatekeeper(ledger, build_id).cases(self.datasets.values()):
                if case.waits:
                    approval.decide(self.settings, ledger, case.about, "approved", "somebody", {"else"}, "command line")

    def pass_all(self, build_id: int) -> None:
        """Verdicts as the gate would write them, without the seconds that it takes."""
        for slug in self.datasets:
            self.verdict(build_id, slug)

    def verdict(self, build_id: int, slug: str, passed: bool = True) -> None:
        subject = next(s for s in gate.dataset_subjects(self.settings, self.datasets, self.suites) if s.name == slug)
        results: list[dict[str, Any]] = [
            {"place": i, "expectation": e.type, "column": None, "kwargs": {}, "severity": e.severity, "success": passed,
             "observed": {}, "problem": None}
            for i, e in enumerate(gate.read_suite(subject.suite, slug).expectations)
        ]  # fmt: skip
        with warehouse.connect(self.settings, "publisher") as publisher:
            rows = verdicts.fingerprint(publisher, subject.schema, subject.relation)
        made = verdicts.pronounce(subject, build_id, transform.code_sha256(), results, 0.1, rows)
        with warehouse.connect(self.settings, "operator") as connection:
            verdicts.record(self.settings, connection, made)

    def release(self, as_of: date = date(2025, 9, 30)) -> release.Release:
        build_id = self.build(as_of)
        self.pass_all(build_id)
        return self.publish(build_id, as_of)


def expectation(kind: str, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    meta = {"vi": f"Quy tắc {kind}", "en": f"Rule {kind}", "next_steps": "Look at the model."}
    return {"type": kind, "kwargs": kwargs, "severity": severity, "meta": meta}


def write_suite(folder: Path, subject: str, *expectations: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{subject}.json"
    path.write_text(json.dumps({"name": subject, "subject": subject, "expectations": expectations}), encoding="utf-8")
    return path


@pytest.fixture
def toy(server: Settings, tmp_path: Path) -> Toy:
    """Fresh tables, an empty ledger and an empty releases folder."""
    settings = Settings(tmp_path / "home", postgres.admin_dsn(server, warehouse.DATABASE))
    settings.home.mkdir()
    seal.KEY.make(settings)
    made = Toy(settings, tmp_path / "suites", dict(contract.datasets(DATASETS)))
    with warehouse.connect(settings) as connection:
        connection.execute(
            "truncate ops.build, ops.verdict, ops.approval, ops.release, ops.release_item, ops.withdrawal, ops.model_run, "
            "ops.released_version, released.version_row, released.version_seal restart identity cascade"
        )
    made.sql(TABLES)
    write_suite(
        made.suites,
        "dan-so-thu",
        expectation("expect_table_row_count_to_be_between", min_value=1),
        expectation("expect_column_values_to_be_between", column="residents", min_value=10),
        expectation("expect_compound_columns_to_be_unique", column_list=["commune_code", "sex_code"]),
    )
    write_suite(
        made.suites,
        "don-vi-thu",
        expectation("expect_column_values_to_be_unique", column="unit_code"),
        expectation("expect_column_values_to_not_be_null", "warning", column="area_km2"),
    )
    return made
