"""Who may read what of the hand-made province, and that a build fails when it is not as declared."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from khochung import access, contract, transform, warehouse
from khochung.settings import Settings

FINANCE, CULTURE = "agency_so_tai_chinh", "agency_so_van_hoa_the_thao_va_du_lich"


def ask(settings: Settings, role: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(**warehouse.parameters(settings, role)) as connection:
        return connection.execute(sql.SQL(statement)).fetchall()  # type: ignore[arg-type]


@pytest.fixture
def manifest(built: Settings) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((built.artefacts / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def tampered(built: Settings, request: pytest.FixtureRequest) -> Iterator[str]:
    """The catalogue after a statement of the administrator; taken back afterwards."""
    name, change, undo = request.param
    with warehouse.connect(built) as connection:
        connection.execute(change)
    yield name
    with warehouse.connect(built) as connection:
        connection.execute(undo)


def test_what_dbt_has_built_is_as_declared(built: Settings, manifest: dict[str, Any]) -> None:
    assert access.differences(built, manifest) == []


@pytest.mark.parametrize(
    "tampered",
    [
        ("may select staging.base_population__resident", "grant select on staging.base_population__resident to khochung_analyst",
         "revoke select on staging.base_population__resident from khochung_analyst"),
        ("public may select raw.land__land_right", "grant select on raw.land__land_right to public",
         "revoke select on raw.land__land_right from public"),
        ("base_population__resident.surname has grants of its own",
         "grant select (surname) on staging.base_population__resident to khochung_agency",
         "revoke select (surname) on staging.base_population__resident from khochung_agency"),
        ("may not select marts.dim_parcel", "revoke select on marts.dim_parcel from khochung_analyst",
         "grant select on marts.dim_parcel to khochung_analyst"),
        ("may insert kpi.metric", "grant insert on kpi.metric to khochung_analyst",
         "revoke insert on kpi.metric from khochung_analyst"),
        ("kpi.metric belongs to postgres", "alter table kpi.metric owner to postgres",
         "alter table kpi.metric owner to khochung_transformer"),
        ("quality.issue lacks row policy own_rows", "alter table quality.issue disable row level security",
         "alter table quality.issue enable row level security"),
        ("quality.issue lacks row policy own_rows",
         "alter policy own_rows on quality.issue using (current_user is not null)",
         "alter policy own_rows on quality.issue using "
         "(agency in (select owner_agency from ops.agency_account where role_name = current_user))"),
        ("fct_dossier has row policy more", "create policy more on marts.fct_dossier for select to khochung_agency using (true)",
         "drop policy more on marts.fct_dossier"),
        ("role khochung_analyst is a member of khochung_transformer", "grant khochung_transformer to khochung_analyst",
         "revoke khochung_transformer from khochung_analyst"),
        ("role khochung_analyst is a member of pg_read_all_data", "grant pg_read_all_data to khochung_analyst",
         "revoke pg_read_all_data from khochung_analyst"),
        ("role khochung_agency_so_y_te is more than", "alter role khochung_agency_so_y_te bypassrls",
         "alter role khochung_agency_so_y_te nobypassrls"),
        ("schema staging may be used by khochung_analyst", "grant usage on schema staging to khochung_analyst",
         "revoke usage on schema staging from khochung_analyst"),
        ("marts.peek() runs with the rights",
         "create function marts.peek() returns bigint security definer language sql return (select 1)", "drop function marts.peek()"),
    ],
    indirect=True, ids=lambda value: value[0],
)  # fmt: skip
def test_every_opening_and_every_gap_is_seen(built: Settings, manifest: dict[str, Any], tampered: str) -> None:
    with pytest.raises(access.AccessError) as caught:
        access.verify(built, manifest)
    assert tampered in str(caught.value)


def test_a_build_with_a_wrong_grant_is_failed(built: Settings, manifest: dict[str, Any]) -> None:
    with warehouse.connect(built, "operator") as connection:
        row = connection.execute(
            "insert into ops.build (as_of, loads_until, code_sha256) values ('2025-09-30', 0, 'x') returning build_id, as_of, 0"
        ).fetchone()
    build = transform.Build(*row)  # type: ignore[misc]
    with warehouse.connect(built) as connection:
        connection.execute("grant select on quality.quarantine to khochung_publisher")
    try:
        with pytest.raises(access.AccessError, match="khochung_publisher may select"):
            transform._verify_access(built, build, built.artefacts / "dbt" / "manifest.json")
    finally:
        with warehouse.connect(built) as connection:
            connection.execute("revoke select on quality.quarantine from khochung_publisher")
    status = ask(built, "operator", f"select status, message from ops.build where build_id = {build.build_id}")
    assert status[0][0] == "failed" and "quarantine" in status[0][1]


def test_an_agency_sees_its_own_issues_and_dossiers(built: Settings) -> None:
    assert ask(built, FINANCE, "select distinct agency, source_name from quality.issue") == [
        ("Sở Tài chính", "business")
    ]
    assert ask(built, FINANCE, "select count(*) from marts.fct_dossier") == [(0,)]
    assert ask(built, CULTURE, "select count(*) from quality.issue") == [(0,)]
    assert ask(built, CULTURE, "select count(*) from marts.fct_dossier") == [(20,)]
    assert ask(built, CULTURE, "select sum(received) from marts.fct_dossier_month") == [(20,)]
    own = "select distinct split_part(agency_key, '@', 1) from kpi.metric_value"
    assert ask(built, CULTURE, own) == ask(
        built, CULTURE, "select distinct split_part(agency_key, '@', 1) from marts.fct_dossier"
    )
    everything = "select count(*) from marts.fct_dossier"
    assert ask(built, "analyst", everything) == ask(built, "transformer", everything) > [(20,)]
    assert ask(built, "operator", "select count(distinct agency) from quality.issue")[0][0] > 2
    assert ask(built, FINANCE, "select count(*) > 0 from seeds.issue_code") == [(True,)]


def test_who_took_a_dossier_over_sees_it(built: Settings) -> None:
    handed = ask(built, "agency_h53_137", "select agency_key, handling_agency_key from marts.fct_dossier")
    assert handed == [("H39.31@2021-01-01", "H53.137@2025-07-01")]


def test_every_owner_of_a_source_has_an_account(built: Settings) -> None:
    owners = {source.owner_agency for source in contract.sources().values()}
    assert {
        owner for (owner,) in ask(built, "operator", "select distinct owner_agency from ops.agency_account")
    } >= owners


@pytest.mark.parametrize(
    "attempt",
    [
        "set role khochung_agency_so_noi_vu",
        "set session authorization khochung_agency_so_noi_vu",
        "set row_security = off; select * from quality.issue",
        "insert into ops.agency_account values (current_user, 'x', 'Công an tỉnh')",
        "update ops.agency_account set role_name = current_user",
        "select * from kpi.metric_day",
        "select * from quality.quarantine",
        "select * from raw.business__enterprise",
        "create table marts.mine ()",
    ],
)
def test_an_agency_cannot_become_another_one(built: Settings, attempt: str) -> None:
    with (
        psycopg.connect(**warehouse.parameters(built, FINANCE)) as connection,
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)),
    ):
        connection.execute(attempt)  # type: ignore[call-overload]


def test_the_group_itself_sees_no_row(built: Settings) -> None:
    with psycopg.connect(**warehouse.parameters(built, FINANCE)) as connection:
        connection.execute("set role khochung_agency")
        assert connection.execute("select count(*) from quality.issue").fetchone() == (0,)


def test_an_account_that_is_taken_off_the_list_is_shut(built: Settings) -> None:
    with warehouse.connect(built) as connection:
        connection.execute("create role khochung_agency_gone login in role khochung_agency")
    warehouse.bootstrap(built)
    state = "select rolcanlogin, pg_has_role(oid, 'khochung_agency', 'usage') from pg_roles where rolname = 'khochung_agency_gone'"
    assert ask(built, "operator", state) == [(False, False)]
