{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.event_no as _record_key,
        raw_row.event_no,
        {{ clean_code('raw_row.enterprise_code') }} as enterprise_code,
        {{ clean_code('raw_row.event_type') }} as event_type,
        {{ clean_code('raw_row.event_date') }} as event_date_text,
        {{ clean_code('raw_row.place_id') }} as place_id,
        {{ clean_code('raw_row.capital_vnd') }} as capital_text
    from {{ source('business', 'enterprise_event') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('event_date_text', 'dd/MM/yyyy') }} as event_date,
        {{ to_number('capital_text') }} as capital_vnd
    from cleaned
    {{ once() }}
),

referred as (
    select
        typed.*,
        place.commune_key,
        enterprise.enterprise_code is not null as has_enterprise
    from typed
    left join {{ ref('stg_business__place') }} as place on typed.place_id = place.place_id
    left join {{ ref('base_business__enterprise') }} as enterprise on typed.enterprise_code = enterprise.enterprise_code
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue('enterprise_code', 'REFERENCE_MISSING', 'not has_enterprise', refuse=true),
            issue(
                'event_type', 'CODE_UNKNOWN', "coalesce(event_type, '') not in ('DKM', 'TN', 'HDTL', 'GT', 'TH', 'CTC')",
                refuse=true
            ),
            issue('event_date', 'PLACEHOLDER_VALUE', 'event_date_text is null', refuse=true),
            date_issues('event_date', 'event_date_text', 'event_date', refuse=true),
            issue('place_id', 'CODE_UNKNOWN', 'commune_key is null', refuse=true),
            issue('capital_vnd', 'NUMBER_FORMAT', 'capital_text is not null and capital_vnd is null'),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    event_no,
    enterprise_code,
    event_type,
    event_date,
    place_id,
    commune_key,
    capital_vnd,
    {{ verdict() }}
from checked
