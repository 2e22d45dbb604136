{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.petition_id as _record_key,
        raw_row.petition_id,
        {{ clean_code('raw_row.kind_code') }} as kind_code,
        {{ clean_code('raw_row.category_id') }} as category_id,
        {{ clean_text('raw_row.title') }} as title,
        {{ clean_code('raw_row.place_id') }} as place_id,
        {{ clean_code('raw_row.channel_code') }} as channel_code,
        {{ clean_code('raw_row.agency_code') }} as agency_code,
        {{ clean_code('raw_row.status_code') }} as status_code,
        {{ clean_code('raw_row.received_at') }} as received_at_text,
        {{ clean_code('raw_row.due_at') }} as due_at_text,
        {{ clean_code('raw_row.answered_at') }} as answered_at_text,
        {{ clean_code('raw_row.published_at') }} as published_at_text,
        {{ clean_code('raw_row.satisfaction_code') }} as satisfaction_code,
        {{ clean_code('raw_row.reminders') }} as reminders_text,
        coalesce(lower(btrim(raw_row.is_public)) = 'true', false) as is_public,
        coalesce(lower(btrim(raw_row.is_anonymous)) = 'true', false) as is_anonymous
    from {{ source('hotline', 'petition') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_local_time('received_at_text', 'iso') }} as received_at,
        {{ to_local_time('due_at_text', 'iso') }} as due_at,
        {{ to_local_time('answered_at_text', 'iso') }} as answered_at,
        {{ to_local_time('published_at_text', 'iso') }} as published_at,
        coalesce({{ to_integer('reminders_text') }}, 0) as reminders
    from cleaned
    {{ once() }}
),

referred as (
    select
        typed.*,
        kind.conformed_code as conformed_kind,
        channel.conformed_code as conformed_channel,
        status.conformed_code as conformed_status,
        satisfaction.conformed_code as conformed_satisfaction,
        category.category_id is not null as has_category,
        agency.valid_from as agency_valid_from,
        spot.place_id is not null as has_place,
        place.commune_key
    from typed
    {{ join_code('kind', 'hotline', 'petition_kind', 'typed.kind_code') }}
    {{ join_code('channel', 'hotline', 'petition_channel', 'typed.channel_code') }}
    {{ join_code('status', 'hotline', 'petition_status', 'typed.status_code') }}
    {{ join_code('satisfaction', 'hotline', 'satisfaction', 'typed.satisfaction_code') }}
    left join {{ ref('stg_hotline__category') }} as category on typed.category_id = category.category_id
    left join {{ ref('stg_procedures__agency') }} as agency
        on
            typed.agency_code = agency.agency_code
            and cast(typed.received_at as date) between agency.valid_from and agency.valid_to
    left join {{ ref('stg_hotline__place') }} as spot on typed.place_id = spot.place_id
    -- A place is of the list that its path belongs to, whenever it was picked.
    {{ join_commune('place', 'spot.commune_code',
        "case when spot.is_two_level then greatest(cast(typed.received_at as date), date '" ~ var('two_level_from')
        ~ "') else least(cast(typed.received_at as date), date '" ~ var('two_level_from') ~ "' - 1) end") }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['title']),
            issue('kind_code', 'CODE_UNKNOWN', 'conformed_kind is null', refuse=true),
            issue('category_id', 'CODE_UNKNOWN', 'not has_category', refuse=true),
            issue('status_code', 'PLACEHOLDER_VALUE', 'status_code is null', refuse=true),
            issue('status_code', 'CODE_UNKNOWN', 'status_code is not null and conformed_status is null', refuse=true),
            issue('received_at', 'PLACEHOLDER_VALUE', 'received_at_text is null', refuse=true),
            issue('received_at', 'DATE_MALFORMED', 'received_at_text is not null and received_at is null', refuse=true),
            issue('received_at', 'DATE_IN_FUTURE', 'received_at >= ' ~ as_of() ~ ' + 1', refuse=true),
            issue(
                'agency_code', 'CODE_UNKNOWN', 'agency_valid_from is null and received_at < ' ~ as_of() ~ ' + 1',
                refuse=true
            ),
            issue('channel_code', 'CODE_UNKNOWN', 'channel_code is not null and conformed_channel is null'),
            issue('place_id', 'CODE_UNKNOWN', 'place_id is not null and not has_place'),
            issue('due_at', 'DATE_MALFORMED', 'due_at_text is not null and due_at is null'),
            issue('due_at', 'DATE_ORDER', 'due_at < received_at'),
            issue('answered_at', 'DATE_MALFORMED', 'answered_at_text is not null and answered_at is null'),
            issue('answered_at', 'DATE_ORDER', 'answered_at < received_at'),
            issue('answered_at', 'DATE_IN_FUTURE', 'answered_at >= ' ~ as_of() ~ ' + 1'),
            issue('published_at', 'DATE_MALFORMED', 'published_at_text is not null and published_at is null'),
            issue(
                'satisfaction_code', 'CODE_UNKNOWN', 'satisfaction_code is not null and conformed_satisfaction is null'
            ),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    petition_id,
    conformed_kind as kind,
    category_id,
    commune_key,
    conformed_channel as channel,
    agency_code,
    agency_valid_from,
    conformed_status as status,
    case when due_at >= received_at then due_at end as due_at,
    case when answered_at >= received_at and answered_at < {{ as_of() }} + 1 then answered_at end as answered_at,
    case when published_at >= received_at and published_at < {{ as_of() }} + 1 then published_at end as published_at,
    conformed_satisfaction as satisfaction,
    reminders,
    is_public,
    is_anonymous,
    received_at,
    {{ verdict() }}
from checked
