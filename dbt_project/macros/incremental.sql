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
        {%- set later = execute and this is not none and is_incremental() %}{# a unit test has no `this` #}
        {%- set touched = '' if execute and not later else caller() %}{# while dbt parses, for its references #}
        {%- if later %}
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

{# Before a base model takes in what is new, it forgets the records that their source has deleted. #}
{% macro forget_deleted() -%}
    {%- if is_incremental() -%}
    {%- set table = own_contract() -%}
    delete from {{ this }}
    where _record_key in (
        select {{ record_key('gone') }}
        from {{ source(table.source, table.name) }} as gone
        where gone._load_id > {{ of_build('loads_seen') }} and gone._deleted_at is not null
    )
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
    {%- if model.config.materialized != 'view' -%} analyze {{ this }} {%- endif -%}
{%- endmacro %}
