{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.place_id as _record_key,
        {{ clean_code('raw_row.place_id') }} as place_id,
        {{ clean_text('raw_row.place_name') }} as place_name,
        {{ clean_code('raw_row.commune_code') }} as commune_code,
        {{ clean_code('raw_row.valid_from') }} as valid_from_text,
        {{ clean_code('raw_row.valid_to') }} as valid_to_text
    from {{ source('business', 'place') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('valid_from_text', 'dd/MM/yyyy') }} as valid_from,
        {{ to_day('valid_to_text', 'dd/MM/yyyy') }} as valid_to
    from cleaned
    {{ once() }}
),

located as (
    select
        typed.*,
        place.commune_key
    from typed
    {{ join_commune('place', 'typed.commune_code', "coalesce(typed.valid_to, typed.valid_from, " ~ as_of() ~ ")") }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['place_name']),
            issue('commune_code', 'CODE_UNKNOWN', 'commune_key is null', refuse=true),
            date_issues('valid_from', 'valid_from_text', 'valid_from', future=true),
            date_issues('valid_to', 'valid_to_text', 'valid_to', future=true),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    place_id,
    place_name,
    commune_key,
    valid_from,
    valid_to,
    {{ verdict() }}
from checked
