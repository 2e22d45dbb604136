{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.unit_code || '|' || raw_row.established_on as _record_key,
        {{ clean_code('raw_row.unit_code') }} as unit_code,
        {{ clean_text('raw_row.unit_name') }} as unit_name,
        {{ clean_code('raw_row.kind_code') }} as kind_code,
        {{ clean_code('raw_row.established_on') }} as established_on_text,
        {{ clean_code('raw_row.joined_on') }} as joined_on_text,
        {{ clean_code('raw_row.ended_on') }} as ended_on_text
    from {{ source('documents', 'unit') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('established_on_text', 'dd/MM/yyyy') }} as established_on,
        {{ to_day('joined_on_text', 'dd/MM/yyyy') }} as joined_on,
        {{ to_day('ended_on_text', 'dd/MM/yyyy') }} as ended_on
    from cleaned
    {{ once() }}
),

referred as (
    select
        typed.*,
        kind.conformed_code as conformed_kind,
        agency.agency_code is not null as has_agency
    from typed
    {{ join_code('kind', 'documents', 'unit_kind', 'typed.kind_code') }}
    left join {{ ref('stg_procedures__agency') }} as agency
        on typed.unit_code = agency.agency_code and typed.established_on = agency.valid_from
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['unit_name']),
            issue('unit_code', 'CODE_UNKNOWN', 'not has_agency and established_on is not null', refuse=true),
            issue('kind_code', 'CODE_UNKNOWN', 'conformed_kind is null', refuse=true),
            date_issues('established_on', 'established_on_text', 'established_on', refuse=true),
            date_issues('joined_on', 'joined_on_text', 'joined_on'),
            date_issues('ended_on', 'ended_on_text', 'ended_on', future=true),
            issue('joined_on', 'DATE_ORDER', 'joined_on < established_on'),
            issue('ended_on', 'DATE_ORDER', 'ended_on < established_on', refuse=true),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    unit_code,
    unit_name,
    conformed_kind as unit_kind,
    established_on,
    case when joined_on >= established_on then joined_on end as joined_on,
    ended_on,
    {{ verdict() }}
from checked
