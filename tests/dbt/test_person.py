"""Who is who across the registers: hand-made people, each there for a rule, held against a second reading of the raw rows."""

import hashlib
import hmac
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import dbt_fixture
import psycopg
import pytest
from click.testing import CliRunner
from dbt_fixture import Row, dossier, resident

from khochung import contract, pseudonym, transform, warehouse
from khochung.cli import main
from khochung.errors import ConfigurationError
from khochung.settings import Settings
from tests.toy_warehouse import running

Query = Callable[..., list[tuple[Any, ...]]]
OTHER_KEY = "ab" * 32
MODELS = ["+issue", "+dim_person", "+dim_household", "+fct_dossier"]
KEYED = [
    "path:models/intermediate/person",
    "int_population__home",
    "int_population__crowd",
    "path:models/marts/person",
    "fct_dossier",
]
# The man of record 101: number 080090000101, card 300000101, dead since January 2025; 102 lives; 103 and 104 show one card,
# 105 and 106 one number; 107 has none of his own.
PEOPLE: dict[int, Row] = {
    101: {"old_id_card": "300000101", "status_code": "2", "household_no": "HK1"},
    102: {"old_id_card": "300000102", "household_no": "HK2"},
    103: {"old_id_card": "300000103"},
    104: {"old_id_card": "300000103"},
    105: {"household_no": "HK2"},
    106: {"personal_id": "080090000105", "surname": "Nguyễn"},
    107: {"personal_id": None, "old_id_card": None},
}
# Record -> what the register shows, what is made of it, and who is meant.
RIGHTS: list[tuple[dict[str, str | None], str, str, str | None]] = [
    ({"so_dinh_danh": "080090000102", "nam_sinh": "1990"}, "personal_id certain", "080090000102", None),
    ({"so_dinh_danh": "80090000102", "nam_sinh": "15/06/1990"}, "personal_id_recovered high", "080090000102", None),
    ({"so_dinh_danh": "080090000102", "nam_sinh": "1960"}, "personal_id low", "080090000102", "BIRTH_YEAR_DIFFERS"),
    ({"so_dinh_danh": "300000102", "nam_sinh": "1990"}, "card high", "080090000102", None),
    ({"so_dinh_danh": "300000102", "nam_sinh": None}, "card medium", "080090000102", None),
    ({"so_dinh_danh": "300000102", "nam_sinh": "1950"}, "none card_contradicted", "", "BIRTH_YEAR_DIFFERS"),
    ({"so_dinh_danh": "300000103", "nam_sinh": "1990"}, "none shared", "", None),
    ({"so_dinh_danh": "080090000105", "nam_sinh": "1990"}, "none shared", "", None),
    ({"so_dinh_danh": "300000199", "nam_sinh": "1990"}, "none card_unknown", "", None),
    ({"so_dinh_danh": "080180000199", "nam_sinh": "1980"}, "personal_id medium", "080180000199", None),
    ({"so_dinh_danh": "80180000199", "nam_sinh": None}, "personal_id_recovered low", "080180000199", None),
    ({"so_dinh_danh": "300000101", "nam_sinh": "1990"}, "card high", "080090000101", "PERSON_DEAD"),
    ({"so_dinh_danh": "000000000000", "nam_sinh": "1990"}, "none filler", "", None),
    ({"so_dinh_danh": "123456789", "nam_sinh": "1990"}, "none filler", "", None),
    ({"so_dinh_danh": "999080000001", "nam_sinh": None}, "none malformed", "", None),
    ({"so_dinh_danh": "B1234567", "nam_sinh": "1990"}, "none foreign_document", "", None),
    ({"so_dinh_danh": "0", "nam_sinh": "1990"}, "none no_identifier", "", None),
    ({"so_dinh_danh": "1100000012", "nam_sinh": None, "loai_chu": "TC"}, "", "", None),
]


def population() -> Iterator[tuple[str, Row]]:
    yield from dbt_fixture.population()
    yield from (resident(number, **changes) for number, changes in PEOPLE.items())
    yield dbt_fixture.event(101, "DC101", "KT", "20/01/2025", to_commune=dbt_fixture.OLD_WARD)


def land() -> Iterator[tuple[str, Row]]:
    yield from dbt_fixture.land()
    for number, (shown, *_) in enumerate(RIGHTS):
        yield "land_right", {
            "quyen_id": UUID(int=100 + number), "thua_dat_id": dbt_fixture.OWNED, "loai_chu": "CN", "ten_chu": "Lê Thị Bưởi",
            "so_phat_hanh": "AD 266864", "ngay_cap": "05/03/2015", "thoi_diem_cap_nhat": "2020-01-01",
        } | shown  # fmt: skip


def procedures() -> Iterator[tuple[str, Row]]:
    """The dead man's dossiers of the day of his death and of the day after; a business under a person's number."""
    yield from dbt_fixture.procedures()
    yield dossier(201, applicant_id="080090000101", submitted_at="20250120235959", received_at="20250804090000")
    yield dossier(202, applicant_id="080090000101", submitted_at="20250121000000", received_at="20250804090000")
    yield dossier(203, applicant_id="080090000102", applicant_type="2")


def business() -> Iterator[tuple[str, Row]]:
    """Businesses of the dead man: an enterprise, one dissolved after him, a household business, one that he closed."""
    yield from dbt_fixture.business()
    for code, status, amended in (
        ("1100000076", "Đang hoạt động", "05/03/2019"),
        ("1100000083", "Đã giải thể, phá sản, chấm dứt tồn tại", "05/03/2024"),
    ):
        yield "enterprise", {
            "enterprise_code": code, "enterprise_name": "Công ty", "legal_form": "CTCP", "founded_on": "05/03/2019",
            "amended_on": amended, "status_name": status, "main_industry": "4711", "place_id": "p2",
            "representative_name": "Lê Thị Bưởi", "representative_id": "080090000101",
        }  # fmt: skip
    for number, closed in (("50A8000201", None), ("50A8000202", "05/03/2024")):
        yield "household_business", {
            "registration_no": number, "business_code": "080090000101", "owner_id": "0", "registered_on": "05/03/2019",
            "closed_on": closed, "main_industry": "4711", "commune_code": dbt_fixture.OLD_WARD,
        }  # fmt: skip


SOURCES = dbt_fixture.SOURCES | {
    "population": population, "land": land, "procedures": procedures, "business": business,
}  # fmt: skip


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with running(Settings(tmp_path_factory.mktemp("people"))) as settings:
        dbt_fixture.fill(settings, SOURCES)
        command = ["build", "--select", *MODELS, "--exclude-resource-type", "unit_test"]
        assert dbt_fixture.run(settings, *command) == 0, "dbt build failed: see the output above"
        yield settings


@pytest.fixture
def ask(people: Settings) -> Query:
    def query(statement: str, role: warehouse.Role = "transformer") -> list[tuple[Any, ...]]:
        with warehouse.connect(people, role) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    return query


def person_key(key: str, identifier: str) -> UUID:
    """The pseudonym by Python's own HMAC."""
    return UUID(bytes=hmac.new(bytes.fromhex(key), f"person|{identifier}".encode(), hashlib.sha256).digest()[:16])


@pytest.mark.parametrize("number", range(len(RIGHTS)), ids=[" ".join(map(str, r[0].values())) for r in RIGHTS])
def test_a_right_is_linked_as_its_numbers_allow(people: Settings, ask: Query, number: int) -> None:
    _, verdict, identifier, code = RIGHTS[number]
    found = ask(
        "select method || ' ' || coalesce(reason, confidence), person_key from intermediate.int_person__link "
        f"where register = 'land_right' and record_key = '{UUID(int=100 + number)}'"
    )
    meant = person_key(pseudonym.key(people), identifier) if identifier else None
    assert found == ([(verdict, meant)] if verdict else [])
    issues = ask(
        "select issue_code from quality.issue where issue_code in ('BIRTH_YEAR_DIFFERS', 'SEX_DIFFERS', 'PERSON_DEAD') "
        f"and source_name = 'land' and record_key = '{UUID(int=100 + number)}'"
    )
    assert issues == ([(code,)] if code else [])


def test_the_dead_do_no_business(ask: Query) -> None:
    found = ask(
        "select table_name, record_key, field, severity, agency from quality.issue where issue_code = 'PERSON_DEAD'"
    )
    assert sorted(found) == [
        ("dossier", "H39.12-20250804-0000202", "applicant_id", "warning", contract.source("procedures").owner_agency),
        ("enterprise", "1100000076", "representative_id", "warning", contract.source("business").owner_agency),
        ("household_business", "50A8000201", "owner_id", "warning", contract.source("business").owner_agency),
        ("land_right", str(UUID(int=111)), "so_dinh_danh", "info", contract.source("land").owner_agency),
    ]


def test_a_card_of_two_is_an_issue_of_the_resident_register(ask: Query) -> None:
    found = ask(
        "select record_key, masked_value, agency from quality.issue where issue_code = 'ID_CARD_SHARED' order by 1"
    )
    police = contract.source("population").owner_agency
    assert found == [("DC103", None, police), ("DC104", None, police)]


def test_residents_are_people_whatever_their_number(people: Settings, ask: Query) -> None:
    key = pseudonym.key(people)
    found = dict(ask("select record_key, person_key from intermediate.int_person__link where register = 'resident'"))
    assert found["DC102"] == person_key(key, "080090000102")
    for record in ("DC105", "DC106", "DC107"):
        assert found[record] == person_key(key, f"record {record}"), record
    assert len(set(found.values())) == len(found)


def test_dimensions_hold_each_person_once(ask: Query) -> None:
    statuses = dict(ask("select residence_status, count(*) from marts.dim_person group by 1"))
    # 25 neighbours with 40, 41, 43 and 44, and the hand-made ones; 45 and 101 died; 199 is known to the land office alone.
    assert statuses == {"resident": 31, "dead": 2, "not_registered": 1}
    assert ask("select commune_key, members from marts.dim_household") == [("27694@2025-07-01", 2)]
    assert ask(
        "select dossier_key is not null, residence_status from marts.fct_dossier join marts.dim_person using (person_key) "
        "where residence_status = 'dead'"
    ) == [(True, "dead"), (True, "dead")]
    assert ask("select count(*) from marts.fct_dossier where applicant_type = '2' and person_key is not null") == [(0,)]


def test_links_by_number_are_those_of_a_join_over_raw(ask: Query) -> None:
    """Rights whose number is, letter by letter, that of one resident: the plainest SQL finds the same pairs."""
    plain = ask(
        "select quyen_id::text, min(record_id) from raw.land__land_right join raw.population__resident "
        "on so_dinh_danh = personal_id where loai_chu <> 'TC' group by 1 having count(*) = 1"
    )
    linked = ask(
        "select own.record_key, home.record_key from intermediate.int_person__link as own "
        "join intermediate.int_person__link as home using (person_key) "
        "where own.register = 'land_right' and own.method = 'personal_id' and home.register = 'resident'"
    )
    assert len(plain) == 2
    assert sorted(plain) == sorted(linked)


def partition(ask: Query) -> tuple[set[frozenset[tuple[str, str]]], set[UUID]]:
    """Which records are of one person, and the keys of all people and households."""
    groups: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
    for key, *record in ask(
        "select person_key, register, record_key from intermediate.int_person__link where reason is null"
    ):
        groups[key].add((record[0], record[1]))
    keys = {*groups, *(key for (key,) in ask("select household_key from marts.dim_household"))}
    return {frozenset(records) for records in groups.values()}, keys


def test_a_new_key_changes_every_pseudonym_and_nothing_else(
    people: Settings, ask: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, keys = partition(ask)
    facts = ask("select count(*), count(distinct person_key) from marts.fct_dossier")
    with monkeypatch.context() as patch:
        patch.setenv(pseudonym.VARIABLE, OTHER_KEY)
        assert dbt_fixture.run(people, "run", "--full-refresh", "--select", *KEYED) == 0
        after, other_keys = partition(ask)
        assert ask("select count(*), count(distinct person_key) from marts.fct_dossier") == facts
    assert before == after
    assert keys & other_keys == set()
    assert len(keys) == len(other_keys)
    assert person_key(OTHER_KEY, "080090000102") in other_keys


def test_without_a_key_nobody_is_hashed(people: Settings, ask: Query, tmp_path: Path) -> None:
    file = pseudonym.path(people)
    held = ask("select min(person_key::text), max(person_key::text) from intermediate.int_person__resident")
    kept = file.rename(tmp_path / "kept")
    try:
        with pytest.raises(ConfigurationError, match=r"no key for the pseudonyms.*khochung rekey"):
            pseudonym.check(people)
        assert dbt_fixture.run(people, "run", "--full-refresh", "--select", "int_person__resident") != 0
        with warehouse.connect(people, "operator") as connection:
            connection.execute(
                "insert into ops.build (as_of, loads_until, code_sha256, pseudonym_check) values (now(), 1, '', '0')"
            )
        warehouse.bootstrap(people)
        assert not file.exists(), "a key that was in use is not replaced unasked"
    finally:
        kept.rename(file)
    assert ask("select min(person_key::text), max(person_key::text) from intermediate.int_person__resident") == held


def test_the_key_is_nowhere_but_in_its_file(people: Settings, ask: Query) -> None:
    key = pseudonym.key(people)
    searched = [path for room in (people.artefacts, people.logs) for path in room.rglob("*") if path.is_file()]
    assert len(searched) > 20
    assert [path for path in searched if key.encode() in path.read_bytes()] == []
    assert stat.S_IMODE(pseudonym.path(people).stat().st_mode) == 0o600
    with warehouse.connect(people) as connection:
        seen = connection.execute(
            "select string_agg(a::text, ' ') from pg_stat_activity as a union all select string_agg(b::text, ' ') from ops.build as b"
        ).fetchall()
        with pytest.raises(psycopg.errors.UndefinedObject):
            connection.execute("select current_setting('khochung.pseudonym_key')")
    assert all(key not in str(row) for row in seen)


def test_a_key_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(tmp_path)
    for value in ("secret", "0" * 63, "g" * 64):
        monkeypatch.setenv(pseudonym.VARIABLE, value)
        with pytest.raises(ConfigurationError, match="not 64 hexadecimal digits") as refusal:
            pseudonym.key(settings)
        assert value not in str(refusal.value)
    with pytest.raises(ConfigurationError, match="put the output of"):
        pseudonym.make(settings)


def test_rekey_replaces_the_file_and_the_next_build_knows(people: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    old, mark, noise = pseudonym.key(people), pseudonym.check(people), pseudonym.NOISE.value(people)
    monkeypatch.setenv("KHOCHUNG_HOME", str(people.home))
    said = CliRunner().invoke(main, ["rekey", "--yes"])
    assert said.exit_code == 0, said.output
    new = pseudonym.key(people)
    assert new != old
    assert new not in said.output
    assert pseudonym.check(people) != mark
    assert pseudonym.NOISE.value(people) == noise != old, "what is published does not change with the pseudonyms"
    with warehouse.connect(people, "operator") as connection:
        connection.execute(
            "insert into ops.build (as_of, loads_until, code_sha256, pseudonym_check, noise_check, status) "
            "values (%s, 1, %s, %s, %s, 'succeeded')",
            [
                dbt_fixture.AS_OF,
                transform.code_sha256(),
                pseudonym.check(people),
                pseudonym.check(people, pseudonym.NOISE),
            ],
        )
        connection.execute(
            "insert into ops.load (source_name, table_name, load_mode, origin, landing_file, landing_sha256, landing_bytes, "
            "as_of, extracted_rows, refused_rows, duplicate_rows, inserted_rows, updated_rows, unchanged_rows, tombstoned_rows, "
            "current_rows, contract_sha256, extracted_at, seconds) "
            "values ('a', 'b', 'full', '', '', '', 0, %s, 0, 0, 0, 0, 0, 0, 0, 0, '', now(), 0)",
            [dbt_fixture.AS_OF],
        )
    assert not transform.pending(people)
    with monkeypatch.context() as patch:
        patch.setenv(pseudonym.NOISE.variable, OTHER_KEY)
        assert transform.pending(people)
    pseudonym.make(people)
    assert transform.pending(people)


def test_a_home_of_one_key_keeps_its_noise(people: Settings, tmp_path: Path) -> None:
    """Where counts had their noise from the key of the pseudonyms, they keep it; a key that was lost is not replaced."""
    file = pseudonym.NOISE.path(people)
    kept = file.rename(tmp_path / "kept")
    builds = "insert into ops.build (as_of, loads_until, code_sha256, pseudonym_check, noise_check) values (now(), 1, '', '0', {})"
    try:
        with warehouse.connect(people) as connection:
            connection.execute("update ops.build set noise_check = null")
            connection.execute(builds.format("null").encode())
        warehouse.bootstrap(people)
        assert file.read_text(encoding="utf-8") == pseudonym.key(people)
        with warehouse.connect(people) as connection:
            connection.execute(builds.format("'0'").encode())
        file.unlink()
        warehouse.bootstrap(people)
        assert not file.exists()
        with pytest.raises(ConfigurationError, match=r"no key for the noise on published counts"):
            pseudonym.check(people, pseudonym.NOISE)
    finally:
        kept.rename(file)


def test_the_analyst_reads_no_name_and_no_number(query: Query) -> None:
    """Every value of every relation that the analyst may read, against all that the contracts call identifying."""
    hidden: set[str] = set()
    for source in contract.sources().values():
        for table in source.tables:
            for column in (each for each in table.columns if each.privacy in ("identifier", "sensitive")):
                rows = query(
                    f"select distinct {column.name}::text from raw.{table.relation} where {column.name} is not null"
                )
                hidden |= {value for (value,) in rows if len(value) >= 4}
    assert {"080090000001", "Võ An", "0901234567", "AD 266864"} <= hidden
    relations = query(
        "select format('%I.%I', nspname, relname) from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
        "where relkind in ('r', 'v', 'm') and nspname not in ('pg_catalog', 'information_schema') "
        "and has_schema_privilege('khochung_analyst', pg_namespace.oid, 'usage') "
        "and has_table_privilege('khochung_analyst', pg_class.oid, 'select')"
    )
    assert {"marts.dim_person", "marts.dim_household", "marts.fct_dossier"} <= {name for (name,) in relations}
    assert not any(name.startswith(("raw.", "staging.", "intermediate.", "quality.")) for (name,) in relations)
    for (relation,) in relations:
        shown = query(
            f"select distinct each.value from {relation} as t, jsonb_each_text(to_jsonb(t)) as each", "analyst"
        )
        texts = {str(value) for (value,) in shown if value is not None}
        assert texts & hidden == set(), relation
        long_numbers = {value for value in hidden if value.isdigit() and len(value) >= 9}
        assert not [value for value in texts if any(number in value for number in long_numbers)], relation
