{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.team_no as _record_key,
        {{ clean_code('raw_row.team_no') }} as team_no,
        {{ clean_text('raw_row.team_name') }} as team_name,
        {{ clean_text('raw_row.hamlet') }} as hamlet,
        {{ clean_code('raw_row.commune_code') }} as commune_code,
        {{ clean_code('raw_row.founded_on') }} as founded_on_text,
        {{ clean_code('raw_row.ended_on') }} as ended_on_text,
        {{ clean_code('raw_row.members') }} as members_text
    from {{ source('digital', 'team') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('founded_on_text', 'dd/MM/yyyy') }} as founded_on,
        {{ to_day('ended_on_text', 'dd/MM/yyyy') }} as ended_on,
        {{ to_integer('members_text') }} as members
    from cleaned
    {{ once() }}
),

located as (
    select
        typed.*,
        place.commune_key
    from typed
    {{ join_commune('place', 'typed.commune_code', 'typed.founded_on') }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['team_name', 'hamlet']),
            issue('founded_on', 'PLACEHOLDER_VALUE', 'founded_on_text is null', refuse=true),
            date_issues('founded_on', 'founded_on_text', 'founded_on', refuse=true),
            date_issues('ended_on', 'ended_on_text', 'ended_on'),
            issue('ended_on', 'DATE_ORDER', 'ended_on < founded_on'),
            issue('commune_code', 'CODE_UNKNOWN', 'commune_key is null and founded_on is not null', refuse=true),
            issue('members', 'NUMBER_FORMAT', 'members is null'),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    team_no,
    team_name,
    hamlet,
    commune_key,
    founded_on,
    case when ended_on between founded_on and {{ as_of() }} then ended_on end as ended_on,
    members,
    {{ verdict() }}
from checked
