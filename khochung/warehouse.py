"""Connections to the warehouse by role, and its bookkeeping schema.

One address serves every role: the embedded server, or `KHOCHUNG_WAREHOUSE_DSN`. On an external server each role logs
in with the password in `KHOCHUNG_PASSWORD_<ROLE>`; on the embedded one the socket's folder is the lock.
"""

import csv
import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from khochung import postgres, pseudonym, seal
from khochung.errors import ConfigurationError
from khochung.settings import ROLES, Settings

AGENCY_ACCOUNT = "khochung_agency_"
AGENCY_ROLES = r"""
    do $$
    declare account name;
    begin
        for account in select distinct role_name from ops.agency_account except select rolname from pg_roles loop
            execute format('create role %I', account);
        end loop;
        for account in select rolname from pg_roles where rolname like 'khochung\_agency\_%' loop
            if exists (select from ops.agency_account where role_name = account) then
                execute format('alter role %I login', account);
                execute format('grant khochung_agency to %I', account);
            else
                execute format('alter role %I nologin', account);
                execute format('revoke khochung_agency from %I', account);
            end if;
        end loop;
    end $$
"""
Connection = psycopg.Connection[tuple[Any, ...]]
Role = Literal["loader", "transformer", "analyst", "publisher", "operator"]
DATABASE = "warehouse"
WITHIN = [Path(__file__).parent / "sql" / name for name in ("metrics.sql", "changed_key.sql")]
SCRIPTS = [Path(__file__).parent / "sql" / name for name in ("bootstrap.sql", "vietnamese.sql")]
# What each role may do in each schema; `quality` and the dbt layers belong to the transformer, who grants onward.
SCHEMAS = ("staging", "intermediate", "marts", "kpi", "open_data", "quality", "seeds", "snapshots")
# `enter`: name what is in the schema; which relations may be read is said at each of them. `agency` is the group that
# the accounts of the agencies belong to.
GRANTS: dict[str, dict[str, str]] = {
    "loader": {"raw": "all", "ops": "write"},
    "transformer": {"raw": "read", "ops": "write", "released": "read"} | dict.fromkeys(SCHEMAS, "all"),
    "analyst": {"marts": "read", "kpi": "read", "open_data": "read"},
    "publisher": {"open_data": "read", "released": "read"},
    "operator": {"ops": "write", "quality": "read", "seeds": "read", "released": "read"},
    "agency": {"marts": "enter", "kpi": "enter", "quality": "enter", "seeds": "enter", "ops": "enter"},
}
VERBS = {
    "read": "select",
    "append": "select, insert",
    "add": "insert",
    "keep": "select, insert, delete",
    "write": "select, insert, update",
    "all": "all",
    "enter": "",
}
# In place of what the schema gives: what the gate has found is read by those who work with it, added to by it alone, and
# changed by nobody.
EXCEPTIONS: dict[tuple[str, str], dict[str, str]] = {
    ("ops", "verdict"): {"loader": "read", "transformer": "read", "operator": "append"},
    ("ops", "approval"): {"loader": "read", "transformer": "read", "operator": "append"},
    ("ops", "access_log"): {"operator": "read", "agency": "add"},
    ("released", "version_row"): {"operator": "keep", "publisher": "read", "transformer": "read"},
    ("released", "version_seal"): {"operator": "keep", "publisher": "read", "transformer": "read"},
}


def parameters(settings: Settings, role: str | None = None) -> dict[str, str]:
    """libpq keywords for `role`, or for the administrator when none is given."""
    if settings.warehouse_dsn is None:
        base = {"host": str(postgres.socket_directory(settings)), "port": "5432", "dbname": DATABASE}
        return base | {"user": f"khochung_{role}" if role else postgres.SUPERUSER}
    try:
        base = {key: str(value) for key, value in conninfo_to_dict(settings.warehouse_dsn).items() if value is not None}
    except psycopg.ProgrammingError as error:
        raise ConfigurationError("KHOCHUNG_WAREHOUSE_DSN is not a libpq address: expected postgresql://…") from error
    if role is None:
        return base
    password = os.environ.get(f"KHOCHUNG_PASSWORD_{role.upper()}", "")
    base.pop("password", None)
    return base | {"user": f"khochung_{role}"} | ({"password": password} if password else {})


def connect(settings: Settings, role: Role | None = None, **options: Any) -> Connection:
    """A connection as `role` (None: the administrator). Use it as a context manager: one block, one transaction."""
    keywords: dict[str, Any] = parameters(settings, role)
    try:
        return psycopg.connect(**keywords, application_name=f"khochung {role or 'admin'}", **options)
    except psycopg.OperationalError as error:
        raise ConfigurationError(
            f"the warehouse does not accept role {role or 'admin'} at {keywords.get('host')}/{keywords.get('dbname')}: "
            f"{str(error).strip().splitlines()[-1]}; start it with `make run`, or check KHOCHUNG_WAREHOUSE_DSN and the role's password"
        ) from error


def sqlalchemy_url(settings: Settings, role: Role) -> str:
    """A URL for libraries that want one: the driver is named and a host is given even for a socket."""
    keywords = parameters(settings, role)
    secret = f":{quote(keywords['password'], safe='')}" if "password" in keywords else ""
    user, database, host = f"{keywords['user']}{secret}", keywords["dbname"], keywords["host"]
    if host.startswith("/"):
        return f"postgresql+psycopg2://{user}@localhost/{database}?host={host}"
    return f"postgresql+psycopg2://{user}@{host}:{keywords.get('port', '5432')}/{database}"


def bootstrap(settings: Settings) -> None:
    """Create the roles, schemas and bookkeeping tables, and re-apply every grant. Idempotent.

    Takes an advisory lock, so that two starts at once queue.
    """
    with connect(settings) as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('khochung.bootstrap'))")
        for role in ROLES:
            _create_role(connection, role)
        for script in SCRIPTS:
            connection.execute(script.read_text(encoding="utf-8"))
        _create_schemas(connection)
        for script in WITHIN:
            connection.execute(script.read_text(encoding="utf-8"))
        for role, rights in GRANTS.items():
            for schema, right in rights.items():
                _grant(connection, f"khochung_{role}", schema, right)
        _except(connection)
        connection.execute("grant pg_maintain to khochung_operator")  # the nightly VACUUM; it reads nothing
        _agency_accounts(connection, settings)
        if settings.warehouse_dsn is None:
            _make_first_keys(settings, connection)


def _make_first_keys(settings: Settings, connection: Connection) -> None:
    """The keys come with the embedded warehouse, once: one that was lost is not replaced unasked.

    In a home whose counts got their noise from the key of the pseudonyms, that key becomes the one of the noise as well.
    """
    uses = {
        pseudonym.KEY: "select from ops.build where pseudonym_check is not null limit 1",
        pseudonym.NOISE: "select from ops.build where noise_check is not null limit 1",
        seal.KEY: "select from ops.verdict where seal is not null limit 1",
    }
    for key, used in uses.items():
        if not key.is_there(settings) and connection.execute(used.encode()).fetchone() is None:
            was_one = key == pseudonym.NOISE and connection.execute(uses[pseudonym.KEY].encode()).fetchone() is not None
            key.make(settings, pseudonym.KEY.value(settings) if was_one else "")


def _create_role(connection: Connection, role: str) -> None:
    name = f"khochung_{role}"
    known = connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone()
    if not known:
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
    password = os.environ.get(f"KHOCHUNG_PASSWORD_{role.upper()}", "")
    if password:
        connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(name), sql.Literal(password)))


def _agency_accounts(connection: Connection, settings: Settings) -> None:
    """A role per account of the seed `agency_account`, and what each may see; accounts that are gone cannot log in.

    An account gets no password here: on an external server its administrator gives one when it is handed out.
    A project without the seed has no accounts.
    """
    seed = settings.dbt_project / "seeds" / "agency_account.csv"
    lines = seed.read_text(encoding="utf-8").splitlines() if seed.exists() else []
    rows = [
        (AGENCY_ACCOUNT + row["account"], row["agency_code"], row["owner_agency"] or None)
        for row in csv.DictReader(lines)
    ]
    connection.execute("delete from ops.agency_account")
    with connection.cursor() as cursor:
        cursor.executemany("insert into ops.agency_account values (%s, %s, %s)", rows)
    connection.execute(AGENCY_ROLES)


def _create_schemas(connection: Connection) -> None:
    connection.execute("alter schema raw owner to khochung_loader")
    connection.execute("alter table raw.refused owner to khochung_loader")
    connection.execute("alter table raw.parcel_location owner to khochung_loader")
    connection.execute("revoke create on schema public from public")
    for schema in SCHEMAS:
        connection.execute(
            sql.SQL("create schema if not exists {} authorization khochung_transformer").format(sql.Identifier(schema))
        )


def _except(connection: Connection) -> None:
    for place, rights in EXCEPTIONS.items():
        table = sql.Identifier(*place)
        for role in GRANTS:
            name = sql.Identifier(f"khochung_{role}")
            connection.execute(sql.SQL("revoke all on {} from {}").format(table, name))
            if verbs := VERBS[rights.get(role, "enter")]:
                connection.execute(sql.SQL(f"grant {verbs} on {{}} to {{}}").format(table, name))


def _grant(connection: Connection, role: str, schema: str, right: str) -> None:
    name, space = sql.Identifier(role), sql.Identifier(schema)
    usage = "all" if right == "all" else "usage"
    connection.execute(sql.SQL(f"grant {usage} on schema {{}} to {{}}").format(space, name))
    if right == "enter":
        return
    connection.execute(sql.SQL(f"grant {VERBS[right]} on all tables in schema {{}} to {{}}").format(space, name))
    if right != "read":
        connection.execute(sql.SQL("grant usage on all sequences in schema {} to {}").format(space, name))
    for owner in ("khochung_loader", "khochung_transformer"):
        if right == "read":
            connection.execute(
                sql.SQL("alter default privileges for role {} in schema {} grant select on tables to {}").format(
                    sql.Identifier(owner), space, name
                )
            )
