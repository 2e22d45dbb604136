{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.agency_code || '|' || raw_row.valid_from as _record_key,
        {{ clean_code('raw_row.agency_code') }} as agency_code,
        {{ clean_text('raw_row.agency_name') }} as agency_name,
        {{ clean_code('raw_row.level_code') }} as level_code,
        {{ clean_code('raw_row.parent_code') }} as parent_code,
        {{ clean_code('raw_row.commune_code') }} as commune_code,
        {{ clean_code('raw_row.valid_from') }} as valid_from_text,
        {{ clean_code('raw_row.valid_to') }} as valid_to_text
    from {{ source('procedures', 'agency') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('valid_from_text', 'yyyy-MM-dd') }} as valid_from,
        {{ to_day('valid_to_text', 'yyyy-MM-dd') }} as valid_to
    from cleaned
    {{ once() }}
),

located as (
    select
        typed.*,
        place.commune_key,
        level.conformed_code as conformed_level
    from typed
    {{ join_code('level', 'procedures', 'level', 'typed.level_code') }}
    {{ join_commune('place', 'typed.commune_code', 'typed.valid_from') }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['agency_name']),
            issue('level_code', 'CODE_UNKNOWN', 'conformed_level is null', refuse=true),
            date_issues('valid_from', 'valid_from_text', 'valid_from', refuse=true, future=true),
            date_issues('valid_to', 'valid_to_text', 'valid_to', future=true),
            issue('valid_to', 'DATE_ORDER', 'valid_to < valid_from', refuse=true),
            issue('commune_code', 'CODE_UNKNOWN', 'commune_code is not null and commune_key is null'),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    agency_code,
    agency_name,
    conformed_level as level_code,
    parent_code,
    commune_key,
    valid_from,
    valid_to,
    {{ verdict() }}
from checked
