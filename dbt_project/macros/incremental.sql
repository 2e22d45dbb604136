{# What a build says of itself: `as_of`, `build_id`, `loads_seen`. It does so in the environment and only while SQL is run:
a variable of dbt would have every file parsed anew with each build. A person who runs dbt by hand, and a test, has the
variables of dbt_project.yml or `--vars`. #}
{% macro of_build(name) -%}
    {{ return(env_var('KHOCHUNG_BUILD_' ~ name | upper, var(name) | string) if execute else var(name)) }}
{%- endmacro %}

{# Base models of large tables judge anew only what can have come out differently since the last good build, which had
seen the loads up to `loads_seen`:

- rows that a load has changed since (raw stamps them with its number);
- rows with an issue: whatever looks across rows, or at the day of the build, leaves an issue while it holds, so a row
  whose verdict may turn by itself has one (a repeated number, a missing reference, a date in the future);
- what its caller adds: rows without an issue that a change elsewhere can turn.

A build with other code, an earlier day or another list of communes starts afresh: `khochung.transform` decides.
`row` is the alias of the contract's table. Used with `call`, whose body is one or more `or …`, or nothing. #}
{% macro rows_to_judge(row) -%}
    where
        {{ row }}._deleted_at is null
        {%- set touched = '' if execute and not goes_on() else caller() %}{# while dbt parses, for its references #}
        {%- if execute and goes_on() %}
        and (
            {{ row }}._load_id > {{ of_build('loads_seen') }}
            or {{ record_key(row) }} in (select judged._record_key from {{ this }} as judged where judged._issues <> '')
            {{ touched }}
        )
        {%- endif %}
{%- endmacro %}

{# True where another table of the source has rows of this `value` that changed since the last good build, or, with
`vanished`, that are gone since. #}
{% macro changed_in(value, relation, column, vanished=false) -%}
    {{ value }} in (
        select {{ column }} from {{ relation }}
        where _load_id > {{ of_build('loads_seen') }}{{ " and _deleted_at is not null" if vanished }}
    )
{%- endmacro %}

{# Models behind staging follow: they make anew the rows that depend on a key that changed. Which keys changed since the last
good build stands in `staging.changed_key`, a row for each value, old and new, of the columns that a model `tells`
(config.meta) or is keyed by. It is written in the transaction of the change, read by whoever follows, and emptied when a
build has succeeded (khochung.transform): one that failed half-way leaves it, and the next build goes on from there.

A model that follows has the strategy `differences` and the hook `gather_scope`, and in macros/scopes.sql a macro
`scope_of_<model>`: a `select` of the model's own key (`key`) and of the key of what it is made from (`origin`). It covers every row that may have come out
differently, and may cover more: only rows that really differ are written, and told. In the model itself `in_scope` keeps to it. #}
{% macro changed(relation, told, type='text') -%}
    select {{ "told.value" if type == 'text' else "cast(told.value as " ~ type ~ ")" }} from staging.changed_key as told
    where told.relation = '{{ relation }}' and told.told = '{{ told }}'
{%- endmacro %}

{# True while a model adds to what a build before has left. A unit test has no `this`. #}
{% macro goes_on() -%}
    {{ return(execute and this is not none and is_incremental()) }}
{%- endmacro %}

{% macro gather_scope() -%}
    {%- if is_incremental() -%}
    create temporary table scope_{{ model.name }} on commit drop as
    select distinct
        key,
        origin
    from (
        {{ context['scope_of_' ~ model.name]() }}
    ) as touched (key, origin);
    analyze scope_{{ model.name }}
    {%- endif -%}
{%- endmacro %}

{# Keeps to the rows whose `origin` is to be made anew: one more condition, or nothing. #}
{% macro in_scope(origin, column='origin', joined='and') -%}
    {%- if execute and goes_on() %}
    {{ joined }} {{ origin }} in (select scope.{{ column }} from scope_{{ model.name }} as scope)
    {%- endif -%}
{%- endmacro %}

{# What the CTE `rows` (deleted or inserted ones, whole) tells those who follow. #}
{% macro tell(rows) -%}
    {%- set told = [config.get('unique_key')] + config.get('meta', {}).get('tells', []) -%}
    insert into staging.changed_key (relation, told, value)
    select distinct
        '{{ model.name }}',
        told.told,
        told.value
    from {{ rows }}
    cross join lateral (
        values {% for column in told %}('{{ column }}', cast({{ rows }}.{{ column }} as text)){{ ', ' if not loop.last }}{% endfor %}
    ) as told (told, value)
    where told.value is not null
{%- endmacro %}

{# The strategy `differences`: of the rows in scope, those go that are not made again as they were, and those come that
were not there. Rows are compared whole. A model that may have two rows that are alike says `has_twins` (config.meta):
then all in scope go and come. #}
{% macro get_incremental_differences_sql(arg_dict) -%}
    {%- set held, fresh, key = arg_dict.target_relation, arg_dict.temp_relation, arg_dict.unique_key -%}
    {%- set columns = arg_dict.dest_columns | map(attribute='quoted') | join(', ') -%}
    {%- set alike = 'false' if config.get('meta', {}).get('has_twins') else "fresh." ~ key ~ " = held." ~ key ~ " and row(fresh.*) is not distinct from row(held.*)" -%}
    {%- set has_scope = ('scope_of_' ~ model.name) in context -%}
    analyze {{ fresh }};
    with gone as (
        delete from {{ held }} as held
        where
            held.{{ key }} in (select scope.{{ 'key' if has_scope else key }} from {{ 'scope_' ~ model.name if has_scope else fresh }} as scope)
            and not exists (select from {{ fresh }} as fresh where {{ alike }})
        returning held.*
    )
    {{ tell('gone') }};
    with come as (
        insert into {{ held }} as held ({{ columns }})
        select {{ columns }} from {{ fresh }} as fresh
        where not exists (select from {{ held }} as held where {{ alike }})
        returning held.*
    )
    {{ tell('come') }}
{%- endmacro %}

{# Before a base model takes in what is new, it forgets the records that their source has deleted. #}
{% macro forget_deleted() -%}
    {%- if is_incremental() -%}
    {%- set table = own_contract() -%}
    with gone as (
        delete from {{ this }}
        where _record_key in (
            select {{ record_key('gone') }}
            from {{ source(table.source, table.name) }} as gone
            where gone._load_id > {{ of_build('loads_seen') }} and gone._deleted_at is not null
        )
        returning *
    )
    {{ tell('gone') }}
    {%- endif -%}
{%- endmacro %}

{# The key of a contract's row as `_record_key` has it: the columns of the contract's key, as text. #}
{% macro record_key(row) -%}
    {%- set table = own_contract() -%}
    concat_ws('|'
    {%- for name in contract_facts(table.source, table.name).key -%}
    , {{ row }}.{{ name }}
    {%- endfor -%}
    )
{%- endmacro %}

{# Source and table of the contract that the base model at hand is about. #}
{% macro own_contract() -%}
    {%- set parts = model.name.replace('base_', '', 1).split('__') -%}
    {{ return({'source': parts[0], 'name': parts[-1]}) }}
{%- endmacro %}

{# The next model is planned by what this one holds: PostgreSQL's own daemon comes by minutes later, and a plan by guesses
may take as many minutes. #}
{% macro take_statistics() -%}
    {%- if model.config.materialized != 'view' and not is_incremental() -%} analyze {{ this }} {%- endif -%}
{%- endmacro %}
