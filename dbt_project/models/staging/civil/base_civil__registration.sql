{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.registration_no as _record_key,
        raw_row.registration_no,
        {{ clean_code('raw_row.event_type') }} as event_code,
        {{ clean_code('raw_row.registered_on') }} as registered_on_text,
        {{ clean_code('raw_row.event_date') }} as event_date_text,
        {{ clean_code('raw_row.commune_code') }} as commune_code,
        {{ clean_code('raw_row.person_id') }} as person_id_text,
        {{ clean_text('raw_row.full_name') }} as full_name,
        {{ clean_code('raw_row.sex_code') }} as sex_code,
        {{ clean_code('raw_row.spouse_id') }} as spouse_id_text,
        {{ clean_text('raw_row.spouse_name') }} as spouse_name
    from {{ source('civil', 'registration') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('registered_on_text', 'dd/MM/yyyy') }} as registered_on,
        {{ to_day('event_date_text', 'dd/MM/yyyy') }} as event_date,
        {{ recover_personal_id('person_id_text') }} as person_id,
        {{ recover_personal_id('spouse_id_text') }} as spouse_id
    from cleaned
    {{ once() }}
),

located as (
    select
        typed.*,
        kind.conformed_code as event_type,
        place.commune_key,
        place.is_exact
    from typed
    {{ join_code('kind', 'civil', 'civil_event', 'typed.event_code') }}
    {{ join_commune('place', 'typed.commune_code', 'typed.registered_on') }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['full_name', 'spouse_name']),
            issue('event_type', 'CODE_UNKNOWN', 'event_type is null', refuse=true),
            issue('registered_on', 'PLACEHOLDER_VALUE', 'registered_on_text is null', refuse=true),
            date_issues('registered_on', 'registered_on_text', 'registered_on', refuse=true),
            date_issues('event_date', 'event_date_text', 'event_date'),
            issue('registered_on', 'DATE_ORDER', 'registered_on < event_date and event_date <= ' ~ as_of()),
            issue('commune_code', 'CODE_UNKNOWN', 'commune_key is null and registered_on is not null', refuse=true),
            issue('commune_code', 'CODE_SUPERSEDED', 'not is_exact'),
            issue('person_id', 'PLACEHOLDER_VALUE', 'person_id_text is null'),
            issue('person_id', 'ID_LEADING_ZERO_LOST', 'length(person_id_text) = 11 and person_id is not null'),
            issue('person_id', 'ID_MALFORMED', 'person_id_text is not null and person_id is null'),
            issue('spouse_id', 'ID_LEADING_ZERO_LOST', 'length(spouse_id_text) = 11 and spouse_id is not null'),
            issue('spouse_id', 'ID_MALFORMED', 'spouse_id_text is not null and spouse_id is null'),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    registration_no,
    event_type,
    registered_on,
    case when event_date <= registered_on then event_date end as event_date,
    commune_key,
    person_id,
    spouse_id,
    full_name,
    spouse_name,
    sex_code,
    {{ verdict() }}
from checked
