{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='issue_key',
    on_schema_change='fail',
    full_refresh=false,
    pre_hook='{{ extend_issue_log(this) }}',
    post_hook='{{ record_issue_trend(this) }}'
) }}

-- One row per defect: open while the source still delivers it. One that comes back is opened anew: first_seen stays the
-- day it was first seen, open_since is the day it came back.
with current_issues as (
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
        found.masked_value,
        found.agency
    from {{ ref('issue_found') }} as found
    left join {{ ref('issue_code') }} as code on found.issue_code = code.issue_code
    order by issue_key, found.raised_severity nulls last, found.masked_value
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
    case when fresh.issue_key is null then known.masked_value else fresh.masked_value end as masked_value,
    coalesce(fresh.agency, known.agency) as agency,
    least(known.first_seen, {{ as_of() }}) as first_seen,
    case
        when known.closed_at is null then coalesce(known.open_since, known.first_seen, {{ as_of() }})
        else {{ as_of() }}
    end as open_since,
    case
        when fresh.issue_key is null then known.last_seen else greatest(known.last_seen, {{ as_of() }})
    end as last_seen,
    case when fresh.issue_key is null then {{ as_of() }} end as closed_at,
    case
        when known.issue_key is not null and known.closed_at is null then known.opened_build_id
        else {{ of_build('build_id') }}
    end as opened_build_id,
    {{ of_build('build_id') }} as build_id
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
    agency,
    {{ as_of() }} as first_seen,
    {{ as_of() }} as open_since,
    {{ as_of() }} as last_seen,
    cast(null as date) as closed_at,
    {{ of_build('build_id') }} as opened_build_id,
    {{ of_build('build_id') }} as build_id
from current_issues
{% endif %}
