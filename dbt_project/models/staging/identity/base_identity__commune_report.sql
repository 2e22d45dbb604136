{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.commune_code || '|' || raw_row.reported_on as _record_key,
        {{ clean_code('raw_row.commune_code') }} as commune_code,
        {{ clean_text('raw_row.commune_name') }} as commune_name,
        {{ clean_code('raw_row.reported_on') }} as reported_on_text,
        {{ clean_code('raw_row.eligible') }} as eligible_text,
        {{ clean_code('raw_row.level_1') }} as level_1_text,
        {{ clean_code('raw_row.level_2') }} as level_2_text
    from {{ source('identity', 'commune_report') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('reported_on_text', 'dd/MM/yyyy') }} as reported_on,
        {{ to_number('eligible_text') }} as eligible,
        {{ to_number('level_1_text') }} as level_1,
        {{ to_number('level_2_text') }} as level_2
    from cleaned
    {{ once() }}
),

located as (
    select
        typed.*,
        place.commune_key,
        place.is_exact
    from typed
    {{ join_commune('place', 'typed.commune_code', 'typed.reported_on') }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['commune_name']),
            date_issues('reported_on', 'reported_on_text', 'reported_on', refuse=true),
            issue('commune_code', 'CODE_UNKNOWN', 'commune_key is null and reported_on is not null', refuse=true),
            issue('commune_code', 'CODE_SUPERSEDED', 'not is_exact', refuse=true),
            issue('eligible', 'NUMBER_FORMAT', 'eligible is null or eligible <= 0', refuse=true),
            issue('level_1', 'NUMBER_FORMAT', 'level_1 is null or level_1 < 0'),
            issue('level_2', 'NUMBER_FORMAT', 'level_2 is null or level_2 < 0', refuse=true),
            issue('level_2', 'PART_ABOVE_WHOLE', 'level_2 > eligible', refuse=true),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    commune_key,
    reported_on,
    eligible,
    level_1,
    level_2,
    {{ verdict() }}
from checked
