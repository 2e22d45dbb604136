"""What agencies share: every agency sees exactly its rows, and each reading is written down in its name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from khochung import sharing, warehouse
from khochung.contract import ContractError
from khochung.settings import Settings

CULTURE, INTERIOR, COMMUNE = "agency_so_van_hoa_the_thao_va_du_lich", "agency_so_noi_vu", "agency_h53_137"
NAMES = {"petition": "petition_key", "commune_population": "row(commune_key, sex, age_band)"}


def ask(settings: Settings, role: str | None, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(**warehouse.parameters(settings, role)) as connection:
        return connection.execute(sql.SQL(statement)).fetchall()  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["shared", "lgsp"])
@pytest.mark.parametrize(
    ("account", "name", "code"),
    [
        (CULTURE, "petition", "H39.12"),
        (COMMUNE, "commune_population", "H53.137"),
        (INTERIOR, "petition", "H53.1"),
        (CULTURE, "commune_population", "H53.12"),
    ],
)
def test_an_agency_sees_exactly_its_rows(built: Settings, way: str, account: str, name: str, code: str) -> None:
    key = NAMES[name]
    whole = f"select cast({key} as text), split_part(agency_key, '@', 1) from marts.shared_{name}"
    rows = ask(built, "analyst", whole)
    assert len(rows) >= 3
    wanted = sorted(row for row, agency in rows if agency == code)
    assert bool(wanted) is (code in ("H39.12", "H53.137"))
    seen = ask(built, account, f"select cast({key} as text) from marts.{way}_{name}")
    assert sorted(row for (row,) in seen) == wanted


def test_a_contract_may_name_who_may_read(built: Settings) -> None:
    """Culture has certificates in force, and is none of those that the trial names."""
    count = "select count(*) from marts.shared_signature_certificate"
    assert ask(built, "analyst", count) == [(1,)]
    assert ask(built, CULTURE, count) == [(0,)]


@pytest.fixture
def log(built: Settings) -> Iterator[str]:
    with warehouse.connect(built) as connection:
        connection.execute("truncate ops.access_log")
    yield "select role_name, relation from ops.access_log order by access_id"


def test_each_reading_is_written_down_whatever_it_found(built: Settings, log: str) -> None:
    ask(built, CULTURE, "select * from marts.lgsp_petition")
    ask(built, INTERIOR, "select count(*) from marts.shared_petition where false")
    ask(built, INTERIOR, "select count(*) from marts.shared_petition")
    ask(built, "analyst", "select count(*) from marts.shared_petition")
    found = ask(built, "operator", log)
    assert ("khochung_" + CULTURE, "shared_petition") in found
    assert ("khochung_" + INTERIOR, "shared_petition") in found
    assert {role for role, _ in found} == {"khochung_" + CULTURE, "khochung_" + INTERIOR}


def test_who_reads_cannot_write_in_another_name(built: Settings, log: str) -> None:
    forged = "insert into ops.access_log (role_name, relation, at) values ('khochung_analyst', 'x', '2020-01-01')"
    with psycopg.connect(**warehouse.parameters(built, CULTURE)) as connection:
        connection.execute(forged)
    assert ask(built, "operator", log) == [("khochung_" + CULTURE, "x")]
    assert ask(built, "operator", "select at > now() - interval '1 hour' from ops.access_log") == [(True,)]


@pytest.mark.parametrize(
    "attempt",
    [
        "select * from ops.access_log",
        "delete from ops.access_log",
        "update ops.access_log set relation = 'nothing'",
        "set transaction read only; select * from marts.shared_petition",
        "select * from marts.fct_petition",
    ],
)
def test_who_cannot_be_written_down_cannot_read(built: Settings, attempt: str) -> None:
    with (
        psycopg.connect(**warehouse.parameters(built, CULTURE)) as connection,
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)),
    ):
        connection.execute(attempt)  # type: ignore[call-overload]


def test_the_log_is_not_changed_by_those_who_keep_it(built: Settings) -> None:
    with (
        psycopg.connect(**warehouse.parameters(built, "operator")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("update ops.access_log set relation = 'nothing'")


def test_every_shared_model_has_its_contract(built: Settings) -> None:
    shared = sharing.declared()
    assert len(shared) >= 3
    accounts = {name for (name,) in ask(built, "operator", "select distinct role_name from ops.agency_account")}
    for model in shared.values():
        named = () if model.agencies == "all" else model.agencies
        assert {f"khochung_agency_{account}" for account in named} <= accounts, model.model
    views = ask(
        built,
        "operator",
        "select relname from pg_class where relkind = 'v' and relnamespace = 'marts'::regnamespace "
        "and reloptions @> '{security_invoker=true}'",
    )
    assert {name for (name,) in views} == {model.delivered_as for model in shared.values()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("legal_basis: Luật", "legal_base: Luật"), "legal_basis: Field required"),
        (("agencies: all", "agencies: []"), "agencies"),
        (("own_rows: {agency_code: [agency_code]}", "own_rows: {}"), "rows"),
        (("delivered_as: lgsp_x", "delivered_as: lgsp_y"), "lgsp_x, lgsp_y"),
    ],
)
def test_a_contract_that_lacks_something_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = """
models:
  - name: shared_x
    description: One row per x.
    config:
      meta:
        own_rows: {agency_code: [agency_code]}
        sharing:
          title: {vi: x, en: x}
          provider: Sở Thử
          legal_basis: Luật
          purpose: {vi: x, en: x}
          agencies: all
          delivered_as: lgsp_x
    columns: [{name: agency_code, data_type: text, description: Agency.}]
  - {name: lgsp_x, description: One row per x.}
"""
    sound, spoilt = tmp_path / "sound", tmp_path / "spoilt"
    for folder, content in ((sound, text), (spoilt, text.replace(*change))):
        folder.mkdir()
        (folder / "_sharing.yml").write_text(content, encoding="utf-8")
    assert list(sharing.declared(sound)) == ["shared_x"]
    with pytest.raises(ContractError, match=message):
        sharing.declared(spoilt)
