{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='_record_key', on_schema_change='fail',
    pre_hook='{{ forget_deleted() }}', meta={'tells': ['record_id']}
) }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.event_id as _record_key,
        raw_row.event_id,
        {{ clean_code('raw_row.record_id') }} as record_id,
        {{ clean_code('raw_row.event_type') }} as event_type,
        {{ clean_code('raw_row.event_date') }} as event_date_text,
        {{ clean_code('raw_row.registered_at') }} as registered_on_text,
        {{ clean_code('raw_row.from_province') }} as from_province,
        {{ clean_code('raw_row.from_commune') }} as from_commune,
        {{ clean_code('raw_row.to_province') }} as to_province,
        {{ clean_code('raw_row.to_commune') }} as to_commune,
        raw_row.updated_at
    from {{ source('population', 'event') }} as raw_row
    {% call rows_to_judge('raw_row') %}
    or {{ changed_in('raw_row.record_id', source('population', 'resident'), 'record_id', vanished=true) }}
    {% endcall %}
    {{ once() }}
),

read_dates as (
    select
        *,
        {{ to_day('event_date_text', 'dd/MM/yyyy') }} as event_date,
        {{ to_day('registered_on_text', 'dd/MM/yyyy') }} as registered_on
    from cleaned
    {{ once() }}
),

located as (
    select
        read_dates.*,
        origin.commune_key as from_commune_key,
        origin.is_exact as from_is_exact,
        destination.commune_key as to_commune_key,
        destination.is_exact as to_is_exact,
        resident.record_id is not null as has_resident
    from read_dates
    {{ join_commune('origin', 'read_dates.from_commune', 'read_dates.event_date') }}
    {{ join_commune('destination', 'read_dates.to_commune', 'read_dates.event_date') }}
    left join {{ ref('base_population__resident') }} as resident on read_dates.record_id = resident.record_id
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue('record_id', 'REFERENCE_MISSING', 'not has_resident', refuse=true),
            issue('event_type', 'PLACEHOLDER_VALUE', "coalesce(event_type, '0') = '0'", refuse=true),
            issue('event_type', 'CODE_UNKNOWN', "event_type not in ('0', 'KS', 'KT', 'DEN', 'DI', 'NOI')", refuse=true),
            issue('event_date', 'PLACEHOLDER_VALUE', 'event_date_text is null', refuse=true),
            date_issues('event_date', 'event_date_text', 'event_date', refuse=true),
            date_issues('registered_at', 'registered_on_text', 'registered_on'),
            issue('registered_at', 'DATE_ORDER', 'registered_on < event_date and event_date <= ' ~ as_of()),
            issue(
                'from_commune', 'CODE_UNKNOWN',
                "event_type in ('DI', 'NOI') and event_date is not null and from_commune_key is null", refuse=true
            ),
            issue('from_commune', 'CODE_SUPERSEDED', "event_type in ('DI', 'NOI') and not from_is_exact and event_date <= " ~ as_of()),
            issue(
                'to_commune', 'CODE_UNKNOWN',
                "event_type in ('KS', 'KT', 'DEN', 'NOI') and event_date is not null and to_commune_key is null", refuse=true
            ),
            issue('to_commune', 'CODE_SUPERSEDED', "event_type in ('KS', 'KT', 'DEN', 'NOI') and not to_is_exact and event_date <= " ~ as_of()),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    event_id,
    record_id,
    event_type,
    from_province,
    from_commune_key,
    to_province,
    to_commune_key,
    event_date,
    registered_on,
    updated_at,
    {{ verdict() }}
from checked
