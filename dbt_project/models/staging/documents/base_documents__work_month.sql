{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.unit_code || '|' || raw_row.month_start as _record_key,
        {{ clean_code('raw_row.unit_code') }} as unit_code,
        {{ clean_code('raw_row.month_start') }} as month_start_text,
        {{ clean_code('raw_row.handled') }} as handled_text,
        {{ clean_code('raw_row.handled_online') }} as handled_online_text
    from {{ source('documents', 'work_month') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('month_start_text', 'dd/MM/yyyy') }} as month_start,
        {{ to_number('handled_text') }} as handled,
        {{ to_number('handled_online_text') }} as handled_online
    from cleaned
    {{ once() }}
),

referred as (
    select
        typed.*,
        agency.valid_from as agency_valid_from
    from typed
    -- A report is of whoever there was at the month's end.
    left join {{ ref('stg_procedures__agency') }} as agency
        on
            typed.unit_code = agency.agency_code
            and cast(typed.month_start + interval '1 month - 1 day' as date)
            between agency.valid_from and agency.valid_to
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            date_issues('month_start', 'month_start_text', 'month_start', refuse=true),
            issue('unit_code', 'CODE_UNKNOWN', 'agency_valid_from is null and month_start is not null', refuse=true),
            issue('handled', 'NUMBER_FORMAT', 'handled is null or handled < 0', refuse=true),
            issue('handled_online', 'NUMBER_FORMAT', 'handled_online is null or handled_online < 0', refuse=true),
            issue('handled_online', 'PART_ABOVE_WHOLE', 'handled_online > handled', refuse=true),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    unit_code,
    agency_valid_from,
    month_start,
    handled,
    handled_online,
    {{ verdict() }}
from checked
