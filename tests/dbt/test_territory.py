"""Places through the reform: the lists of communes, joins on their codes, and what may be restated."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commune_joins import bare_joins, without_validity
from dbt_fixture import run

from bench.cookbook import questions
from khochung.settings import REPOSITORY, Settings

Query = Callable[..., list[tuple[Any, ...]]]
Node = dict[str, Any]
NUMBERS = ("integer", "bigint", "numeric", "double precision", "real", "smallint")
ADDED_UP = {"count", "amount", "area"}
NO_FACTS = ("dim_", "bridge_", "shared_", "lgsp_")  # dimensions, and what is handed on of a fact
MEASURES = ADDED_UP | {"rate", "index", "distinct", "median", "dimension"}


def test_the_lists_of_communes_are_those_of_the_resolutions(query: Query) -> None:
    """NQ 1244/NQ-UBTVQH15 (1/12/2024) and NQ 1682/NQ-UBTVQH15 (1/7/2025)."""
    lists = query(
        "select vintage_key, province_name, communes, valid_to::text from marts.dim_commune_vintage order by 1"
    )
    assert lists == [
        ("72@2004-01-01", "Tỉnh Tây Ninh", 94, "2025-06-30"),
        ("80@2004-01-01", "Tỉnh Long An", 188, "2024-11-30"),
        ("80@2024-12-01", "Tỉnh Long An", 186, "2025-06-30"),
        ("80@2025-07-01", "Tỉnh Tây Ninh", 96, None),
    ]
    members = query("select vintage_key, count(*) from marts.bridge_commune_vintage group by 1 order by 1")
    assert members == [(key, communes) for key, _, communes, _ in lists]


@pytest.mark.parametrize(
    ("day", "communes"),
    [("2024-11-30", 188 + 94), ("2024-12-01", 186 + 94), ("2025-06-30", 186 + 94), ("2025-07-01", 96)],
)
def test_every_day_has_one_list(query: Query, day: str, communes: int) -> None:
    on_that_day = f"level_code = 'XA' and date '{day}' between valid_from and coalesce(valid_to, 'infinity')"
    assert query(
        f"select count(*), count(distinct unit_code) from marts.dim_administrative_unit where {on_that_day}"
    ) == [(communes, communes)]


def test_twenty_two_communes_of_2025_are_divided(query: Query) -> None:
    divided = (
        "select unit.valid_to::text, count(*) from marts.dim_administrative_unit as unit "
        "inner join (select commune_key from marts.bridge_administrative_unit group by 1 having count(*) > 1) as parts "
        "using (commune_key) group by 1 order by 1"
    )
    assert query(divided) == [("2024-11-30", 1), ("2025-06-30", 22)]


# --- joins ----------------------------------------------------------------------------------------------------------


def statements(built: Settings) -> Iterator[tuple[str, str]]:
    """Name and SQL of every model and of every test that is a query of its own."""
    root = built.artefacts / "dbt" / "compiled" / "khochung"
    paths = [path for path in sorted(root.rglob("*.sql")) if not any(part.endswith(".yml") for part in path.parts)]
    assert len(paths) > 80, f"{root} holds {len(paths)} statements"
    return ((path.stem, path.read_text(encoding="utf-8")) for path in paths)


def columns_of_codes(query: Query) -> frozenset[str]:
    """Columns that hold codes of communes and nothing else, whatever their names."""
    columns = query(
        "select table_schema, table_name, column_name from information_schema.columns where data_type = 'text' "
        "and table_schema in ('raw', 'staging', 'intermediate', 'marts', 'kpi', 'open_data')"
    )
    found = set()
    for schema, table, column in columns:
        held = f"select distinct {column} as code from {schema}.{table} where {column} is not null"
        communes = "select unit_code from staging.stg_admin__unit where level_code = 'XA'"
        if query(f"select count(*) > 0 and bool_and(code in ({communes})) from ({held}) as held") == [(True,)]:
            found.add(column)
    return frozenset(found)


def test_no_model_joins_on_a_bare_code(built: Settings, query: Query) -> None:
    codes = columns_of_codes(query)
    assert codes >= {"commune_code", "xa_id", "current_commune", "old_code"}
    found = {name: joins for name, sql in statements(built) if (joins := bare_joins(sql, codes))}
    assert found == {}, "join by commune_key, or add the day: `and <day> between valid_from and valid_to`"


def test_no_query_that_people_copy_joins_on_a_bare_code() -> None:
    statements = [question.sql for question in questions()] + examples()
    assert len(statements) > 30
    assert {statement: joins for statement in statements if (joins := bare_joins(statement))} == {}


def test_a_model_without_its_dates_would_be_found(built: Settings) -> None:
    careless = {name for name, sql in statements(built) if bare_joins(without_validity(sql))}
    assert careless >= {
        "base_land__parcel", "base_population__resident", "base_procedures__agency", "base_business__place",
        "dim_administrative_unit", "int_territory__piece",
    }  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        "a join u on a.commune_code = u.unit_code",
        "a join u on a.commune_code = u.unit_code and a.level_code = u.level_code",
        "a join u on a.commune_code = u.unit_code and (u.valid_from <= a.day or true)",
        "a join u on a.commune_code = u.unit_code join v on v.valid_from = a.day",
        "a join u on a.commune_code = u.unit_code and u.level_code = case when a.valid_from > a.day then 'XA' end",
        "a join u on btrim(a.xa_id) = u.unit_code",
        "a join u using (unit_code)",
        "a natural join u",
        "a, u where a.permanent_commune = u.unit_code",
        "a where a.commune_code in (select unit_code from u)",
        "a where exists (select from u where u.unit_code = a.commune_code)",
        "(select xa_id as place from a) as a join u on a.place = u.unit_code",
        "a join u on (a.commune_code, a.level_code) = (u.unit_code, u.level_code)",
    ],
)
def test_a_bare_join_is_seen_in_every_dress(source: str) -> None:
    assert len(bare_joins(f"select 1 from {source}")) == 1


@pytest.mark.parametrize(
    "source",
    [
        "a join u on a.commune_key = u.commune_key",
        "a join u on a.commune_code = u.unit_code and a.day between u.valid_from and u.valid_to",
        "a join u on a.commune_key = u.unit_code || '@' || u.valid_from",
        "a where exists (select from u where u.unit_code = a.commune_code and u.valid_to = a.day - 1)",
        "a where a.commune_code = '27694'",
    ],
)
def test_a_dated_join_is_in_order(source: str) -> None:
    assert bare_joins(f"select 1 from {source}") == []


# --- restating ------------------------------------------------------------------------------------------------------


def facts(built: Settings) -> Iterator[Node]:
    """Every table of the marts and KPIs that tells something by commune."""
    manifest = json.loads((built.artefacts / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    restated = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if (node.get("test_metadata") or {}).get("name") == "restated_alike"
    }
    for key, node in manifest["nodes"].items():
        is_fact = node["resource_type"] == "model" and not node["name"].startswith(NO_FACTS)
        if is_fact and node["schema"] in ("marts", "kpi") and any("commune" in name for name in node["columns"]):
            yield node | {"is_compared": key in restated}


def measures(node: Node) -> dict[str, str | None]:
    """Column -> measure of every column that is a number."""
    numbers = [column for column in node["columns"].values() if column["data_type"].startswith(NUMBERS)]
    return {column["name"]: column["config"]["meta"].get("measure") for column in numbers}


def test_every_number_by_commune_says_whether_it_may_be_restated(built: Settings) -> None:
    found = list(facts(built))
    assert {node["name"] for node in found} >= {"fct_resident_month", "fct_population_event", "fct_parcel_month"}
    silent = {f"{n['name']}.{column}": m for n in found for column, m in measures(n).items() if m not in MEASURES}
    assert silent == {}, "give the column config.meta.measure; macros/restate.sql says what there is"
    nameless = [node["name"] for node in found if "commune_key" not in node["columns"]]
    assert nameless == [], "the commune as recorded is the column commune_key"


def test_every_fact_by_commune_is_compared_before_and_after(built: Settings) -> None:
    careless = [n["name"] for n in facts(built) if ADDED_UP & set(measures(n).values()) and not n["is_compared"]]
    assert careless == [], "add `data_tests: [restated_alike]` to the model"


def inline(built: Settings, template: str) -> int:
    return run(built, "compile", "--quiet", "--inline", template)


def test_what_no_weight_makes_right_is_refused(built: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    kinds = "{'rank': {'measure': 'index'}, 'people': {'measure': 'distinct'}, 'days': {'measure': 'median'}}"
    assert inline(built, f"{{{{ restatable('fct_x', ['rank', 'people', 'days', 'silent'], {kinds}) }}}}") != 0
    said = capfd.readouterr().out
    for column, reason in (
        ("rank", "a mean of indices"), ("people", "count anew"), ("days", "a median of parts"),
        ("silent", "its YAML does not say"),
    ):  # fmt: skip
        assert any(f"fct_x.{column}: " in line and reason in line for line in said.splitlines()), column


def test_counts_keep_their_sum_and_rates_are_worked_out_anew(built: Settings, query: Query, tmp_path: Path) -> None:
    kinds = (
        "{'asked': {'measure': 'count', 'column': 'asked'}, 'done': {'measure': 'count', 'column': 'done'}, "
        "'share': {'measure': 'rate', 'per': 100, 'numerator': {'measure': 'count', 'column': 'done'}, "
        "'denominator': {'measure': 'count', 'column': 'asked'}}}"
    )
    template = f"{{{{ restated_rows('counted', ['month'], {kinds}, false) }}}}"
    assert inline(built, template) == 0
    (compiled,) = (built.artefacts / "dbt" / "compiled").rglob("inline_query*")
    select = compiled.read_text(encoding="utf-8").replace('"warehouse"."marts"."bridge_administrative_unit"', "weights")
    rows = query(f"""
        with counted (commune_key, month, asked, done) as (values ('A', 1, 1001, 700), ('B', 1, 500, 100), ('A', 2, 1, 1)),
        weights (commune_key, present_commune_key, weight_population) as (
            values ('A', 'M', 0.613), ('A', 'N', 0.387), ('B', 'N', 1)
        ), restated as ({select})
        select month, commune_key, asked::text, done::text, round(share, 2)::text from restated order by 1, 2
    """)
    assert rows == [
        (1, "M", "613.613", "429.100", "69.93"), (1, "N", "887.387", "370.900", "41.80"),
        (2, "M", "0.613", "0.613", "100.00"), (2, "N", "0.387", "0.387", "100.00"),
    ]  # fmt: skip


# --- the page -------------------------------------------------------------------------------------------------------


def examples() -> list[str]:
    """The queries of docs/places.md."""
    return re.findall(r"```sql\n(.*?)```", (REPOSITORY / "docs" / "places.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_has_its_examples() -> None:
    assert len(examples()) >= 5


@pytest.mark.parametrize("statement", examples(), ids=lambda statement: statement.split()[1])
def test_an_example_answers_the_analyst(query: Query, statement: str) -> None:
    assert query(statement, "analyst")


def test_the_example_with_shares_loses_nothing(query: Query) -> None:
    (statement,) = (text for text in examples() if "values" in text)
    assert sum(row[-1] for row in query(statement, "analyst")) == 2310 + 1875
