{{ config(materialized='incremental', incremental_strategy='merge', unique_key='issue_key', on_schema_change='fail') }}

-- One row per defect: open while the source still delivers it. The staging models say what is wrong, the contracts say
-- whose it is and how much of the value may be shown.
with found as (
    {% for table in contract_tables() %}
    select
        '{{ table.source }}' as source_name,
        '{{ table.name }}' as table_name,
        base._record_key as record_key,
        split_part(entry, '|', 1) as field,
        split_part(entry, '|', 2) as issue_code,
        nullif(split_part(entry, '|', 3), '') as raised_severity,
        {{ mask_value('base._original', "split_part(entry, '|', 1)", table.columns) }} as masked_value
    from {{ ref('base_' ~ table.source ~ '__' ~ table.name) }} as base
    cross join lateral string_to_table(base._issues, ';') as entry
    where base._issues <> ''

    union all
    {% endfor %}
    -- What the loader set aside: these rows never reached staging. A later full delivery without them closes the issue.
    select
        refused.source_name,
        refused.table_name,
        refused.record_key,
        refused.field,
        refused.code as issue_code,
        null as raised_severity,
        null as masked_value
    from {{ source('loader', 'refused') }} as refused
    where not exists (
        select from {{ source('ledger', 'load') }} as load
        where
            load.source_name = refused.source_name
            and load.table_name = refused.table_name
            and load.load_mode = 'snapshot'
            and load.load_id > refused.last_load_id
    )
),

current_issues as (
    select distinct on (issue_key)
        md5(concat_ws(
            '|', found.source_name, found.table_name, found.record_key, found.field, found.issue_code
        )) as issue_key,
        found.source_name,
        found.table_name,
        found.record_key,
        found.field,
        found.issue_code,
        coalesce(found.raised_severity, code.severity) as severity,
        found.masked_value
    from found
    left join {{ ref('issue_code') }} as code on found.issue_code = code.issue_code
    order by issue_key, found.raised_severity nulls last
)

{% if is_incremental() %}
select
    coalesce(fresh.issue_key, known.issue_key) as issue_key,
    coalesce(fresh.source_name, known.source_name) as source_name,
    coalesce(fresh.table_name, known.table_name) as table_name,
    coalesce(fresh.record_key, known.record_key) as record_key,
    coalesce(fresh.field, known.field) as field,
    coalesce(fresh.issue_code, known.issue_code) as issue_code,
    coalesce(fresh.severity, known.severity) as severity,
    coalesce(fresh.masked_value, known.masked_value) as masked_value,
    {{ owner_agency('coalesce(fresh.source_name, known.source_name)') }} as agency,
    least(known.first_seen, {{ as_of() }}) as first_seen,
    case
        when fresh.issue_key is null then known.last_seen else greatest(known.last_seen, {{ as_of() }})
    end as last_seen,
    case when fresh.issue_key is null then coalesce(known.closed_at, {{ as_of() }}) end as closed_at,
    {{ var('build_id') }} as build_id
from current_issues as fresh
full join {{ this }} as known on fresh.issue_key = known.issue_key
-- An issue that was closed before and is still gone is left alone.
where fresh.issue_key is not null or known.closed_at is null
{% else %}
select
    issue_key,
    source_name,
    table_name,
    record_key,
    field,
    issue_code,
    severity,
    masked_value,
    {{ owner_agency('source_name') }} as agency,
    {{ as_of() }} as first_seen,
    {{ as_of() }} as last_seen,
    cast(null as date) as closed_at,
    {{ var('build_id') }} as build_id
from current_issues
{% endif %}
