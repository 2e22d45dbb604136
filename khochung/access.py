"""Who may read what: the database's catalogue, held against what dbt and `khochung.warehouse` declare.

Looked at after the last layer of a build, and a difference fails the build: before anybody is told of it, and whether it
opens something or closes it. Grants and row policies come with each rebuilt relation (dbt's `+grants`, the macro
`keep_rows_apart`); nothing here mends them, since what nobody declared has a cause that somebody has to find.
"""

import json
from collections.abc import Iterator
from typing import Any

from khochung import warehouse
from khochung.errors import KhoChungError
from khochung.settings import ROLES, Settings
from khochung.warehouse import EXCEPTIONS, GRANTS, SCHEMAS, VERBS

AGENCY = "khochung_agency"
OWNER = {"raw": "khochung_loader"} | dict.fromkeys(SCHEMAS, "khochung_transformer")
Manifest = dict[str, Any]

# Each statement returns what is wrong, one line a row. %(expected)s: a JSON list of schema, relation, role, privilege.
RELATIONS = """
    with expected as (
        select *
        from jsonb_to_recordset(%(expected)s) as row (space text, relation text, role text, privilege text)
    ),
    actual as (
        select
            relnamespace::regnamespace::text as space, relname::text as relation, coalesce(rolname, 'public')::text as role,
            lower(privilege_type) as privilege
        from pg_class
        cross join lateral aclexplode(relacl) as entry
        left join pg_roles on pg_roles.oid = entry.grantee
        where relnamespace::regnamespace::text = any(%(spaces)s) and relkind in ('r', 'v', 'm', 'p', 'f') and grantee <> relowner
    )
    select format('%%s may %%s %%s.%%s, which nothing declares: revoke it', role, privilege, space, relation)
    from (select * from actual except select * from expected) as surplus
    union all
    select format('%%s may not %%s %%s.%%s, as declared: build it again', role, privilege, space, relation)
    from (select * from expected except select * from actual) as missing
"""
COLUMNS = """
    select format('%%s.%%s.%%s has grants of its own (%%s): revoke them', relnamespace::regnamespace, relname, attname, attacl)
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where attacl is not null and relnamespace::regnamespace::text = any(%(spaces)s)
"""
OWNERS = """
    select format('%%s.%%s belongs to %%s, not to %%s', nspname, relname, pg_get_userbyid(relowner), owner.value)
    from jsonb_each_text(%(owners)s) as owner
    join pg_namespace on nspname = owner.key
    join pg_class on relnamespace = pg_namespace.oid
    where pg_get_userbyid(relowner) <> owner.value and relkind in ('r', 'v', 'm', 'p', 'f')
"""
# What a role may in effect, whatever the way: through PUBLIC, a membership, a column, an attribute of the role.
IN_EFFECT = """
    select format('%%s can read %%s.%%s, which nothing declares', rolname, relnamespace::regnamespace, relname)
    from pg_roles
    cross join pg_class
    where
        rolname = any(%(readers)s) and relkind in ('r', 'v', 'm', 'p', 'f') and relnamespace::regnamespace::text = any(%(spaces)s)
        and has_any_column_privilege(pg_roles.oid, pg_class.oid, 'select')
        and not exists (
            select from jsonb_to_recordset(%(expected)s) as row (space text, relation text, role text, privilege text)
            where row.role = rolname and space = relnamespace::regnamespace::text and relation = relname
        )
"""
ATTRIBUTES = """
    select format('role %%s is more than a role that logs in (superuser, bypassrls, createrole, createdb or replication)', rolname)
    from pg_roles
    where rolname like 'khochung\\_%%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
    union all
    select format('role %%s is a member of %%s', member::regrole, roleid::regrole)
    from pg_auth_members
    where member::regrole::text like 'khochung\\_%%' and (member::regrole::text, roleid::regrole::text) not in (
        select role_name, 'khochung_agency' from ops.agency_account union all select 'khochung_operator', 'pg_maintain'
    )
    union all
    select format('schema %%s may be used by %%s (%%s), which nothing declares', nspname, coalesce(rolname, 'public'), privilege_type)
    from pg_namespace
    cross join lateral aclexplode(nspacl) as entry
    left join pg_roles on pg_roles.oid = entry.grantee
    where nspname = any(%(spaces)s) and grantee <> nspowner and not exists (
        select from jsonb_to_recordset(%(entered)s) as row (space text, role text, privilege text)
        where row.space = nspname and row.role = rolname and row.privilege = lower(privilege_type)
    )
"""
POLICIES = """
    with expected as (
        select pg_class.oid, relrowsecurity, policy, roles, own, logged
        from jsonb_to_recordset(%(policies)s) as row (space text, relation text, policy text, roles text[], own text, logged boolean)
        join pg_class on relname = relation and relnamespace::regnamespace::text = space
    ),
    actual as (
        select
            polrelid as oid, polname::text as policy, pg_get_expr(polqual, polrelid) as condition,
            array(select role::regrole::text from unnest(polroles) as role order by 1) as roles,
            polpermissive and polcmd = 'r' as is_plain
        from pg_policy
    )
    select format('%%s lacks row policy %%s for %%s: build it again', expected.oid::regclass, expected.policy, expected.roles)
    from expected
    left join actual on (actual.oid, actual.policy, actual.roles) = (expected.oid, expected.policy, expected.roles)
        and is_plain and case when own = '' then condition = 'true' else condition like '%%' || own || '%%CURRENT_USER%%' end
        and (condition like '%%record_access%%') = logged
    where actual.oid is null or not relrowsecurity
    union all
    select format('%%s has row policy %%s, which nothing declares: drop it', actual.oid::regclass, actual.policy)
    from actual
    left join expected on (actual.oid, actual.policy) = (expected.oid, expected.policy)
    where expected.oid is null
"""
DEFINERS = """
    select format('%%s runs with the rights of its owner', pg_proc.oid::regprocedure)
    from pg_proc where prosecdef and pronamespace::regnamespace::text = any(%(spaces)s)
"""
CHECKS = (RELATIONS, COLUMNS, OWNERS, IN_EFFECT, ATTRIBUTES, POLICIES, DEFINERS)


class AccessError(KhoChungError):
    """The catalogue grants something that nothing declares, or lacks what is declared; the message lists it."""


def verify(settings: Settings, manifest: Manifest) -> None:
    """Hold grants, ownership, row policies and roles against the declarations. Raises AccessError with all differences.

    Relations that a build has not made yet are passed over; what stands where nothing was declared is not.
    """
    found = differences(settings, manifest)
    if found:
        raise AccessError(f"access is not as declared ({len(found)}):\n" + "\n".join(f"  {line}" for line in found))


def differences(settings: Settings, manifest: Manifest) -> list[str]:
    """One line per difference; see `verify`."""
    values = {
        "spaces": ["raw", "ops", "released", *SCHEMAS],
        "readers": [f"khochung_{role}" for role in ROLES if role not in ("loader", "transformer")] + [AGENCY],
        "owners": json.dumps(OWNER),
        "entered": json.dumps(list(_entered())),
        "policies": json.dumps(list(_policies(manifest))),
    }
    with warehouse.connect(settings, "operator") as connection:
        spaces = "select relnamespace::regnamespace::text, relname::text from pg_class where relnamespace::regnamespace::text = any(%s)"
        relations = connection.execute(
            f"{spaces} and relkind in ('r', 'v', 'm', 'p', 'f')", [values["spaces"]]
        ).fetchall()
        values["expected"] = json.dumps(list(_privileges(manifest, relations)))
        return sorted({str(line) for check in CHECKS for (line,) in connection.execute(check, values)})


def _privileges(manifest: Manifest, relations: list[tuple[Any, ...]]) -> Iterator[dict[str, str]]:
    """What GRANTS give on every relation of a schema, and what a model's own `grants` add."""
    named = {(node["schema"], node["alias"]): _readers(node) for node in _built(manifest)}
    named["ops", "agency_account"] = {AGENCY}
    for space, relation in relations:
        instead = EXCEPTIONS.get((space, relation))
        rights = {
            (f"khochung_{role}", verb)
            for role, verbs in GRANTS.items()
            for verb in _verbs((verbs.get(space, "enter")) if instead is None else instead.get(role, "enter"))
        }
        rights |= {(reader, "select") for reader in named.get((space, relation), set())}
        for role, verb in sorted(rights):
            if role != OWNER.get(space):
                yield {"space": space, "relation": relation, "role": role, "privilege": verb}


def _verbs(right: str) -> list[str]:
    return [verb for verb in VERBS[right].split(", ") if verb]


def _entered() -> Iterator[dict[str, str]]:
    for role, rights in GRANTS.items():
        for space, right in rights.items():
            for verb in ("usage", "create") if right == "all" else ("usage",):
                yield {"space": space, "role": f"khochung_{role}", "privilege": verb}


def _policies(manifest: Manifest) -> Iterator[dict[str, Any]]:
    for node in _built(manifest):
        place = {"space": node["schema"], "relation": node["alias"]}
        for known_as in node["config"]["meta"].get("own_rows", {}):
            logged = "sharing" in node["config"]["meta"]
            yield place | {"policy": "own_rows", "roles": [AGENCY], "own": known_as, "logged": logged}
            yield place | {"policy": "all_rows", "roles": sorted(_readers(node) - {AGENCY}), "own": "", "logged": False}


def _built(manifest: Manifest) -> Iterator[Manifest]:
    return (node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed"))


def _readers(node: Manifest) -> set[str]:
    return set(node["config"].get("grants", {}).get("select", []))
