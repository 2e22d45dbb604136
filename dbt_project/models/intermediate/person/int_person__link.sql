{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='record_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}', meta={'tells': ['person_key']}
) }}

-- Who is meant by each record of a register that names a person, how that is known, and how sure it is. No name and no
-- number leaves this model: what stands in it is keyed.
with named as (
    select
        'land_right' as register,
        _record_key as record_key,
        holder_id_text as id_text,
        personal_id,
        cast(extract(year from birth_day) as integer) as birth_year,
        cast(null as integer) as sex,
        cast('infinity' as date) as active_on
    from {{ ref('base_land__land_right') }}
    where not _refused and holder_type is distinct from 'TC'{{ in_scope('_record_key') }}

    union all

    select
        'enterprise' as register,
        _record_key as record_key,
        representative_id_text as id_text,
        representative_id as personal_id,
        cast(null as integer) as birth_year,
        cast(null as integer) as sex,
        case when state <> 'closed' then 'infinity' else amended_on end as active_on
    from {{ ref('base_business__enterprise') }}
    where not _refused{{ in_scope('_record_key') }}

    union all

    -- From 1/7/2025 the number of a household business is that of its owner.
    select
        'household_business' as register,
        _record_key as record_key,
        coalesce(owner_id_text, business_code_text) as id_text,
        case when owner_id_text is null then business_personal_id else owner_id end as personal_id,
        cast(null as integer) as birth_year,
        cast(null as integer) as sex,
        coalesce(closed_on, 'infinity') as active_on
    from {{ ref('base_business__household_business') }}
    where not _refused{{ in_scope('_record_key') }}

    union all

    select
        'dossier' as register,
        _record_key as record_key,
        applicant_id_text as id_text,
        applicant_id as personal_id,
        cast(null as integer) as birth_year,
        cast(null as integer) as sex,
        cast(coalesce(submitted_at, received_at) as date) as active_on
    from {{ ref('base_procedures__dossier') }}
    where not _refused and applicant_type is distinct from 'business'{{ in_scope('_record_key') }}
),

read_numbers as (
    select
        *,
        {{ usable_number('personal_id') }} as number,
        case when personal_id is null then {{ usable_card('id_text') }} end as id_card,
        coalesce({{ is_filler('id_text') }}, false) as is_filled
    from named
    {{ once() }}
),

-- Twelve digits and nine do not meet, so that one list serves both.
known as (
    select
        personal_id as identifier,
        person_key,
        birth_year,
        sex
    from {{ ref('int_person__resident') }}
    where personal_id is not null and not number_is_shared{% if execute and goes_on() %}
        and personal_id in (select read_numbers.number from read_numbers){% endif %}

    union all

    select
        id_card as identifier,
        person_key,
        birth_year,
        sex
    from {{ ref('int_person__resident') }}
    where id_card is not null and not card_is_shared{% if execute and goes_on() %}
        and id_card in (select read_numbers.id_card from read_numbers){% endif %}

    union all

    select distinct
        shown.identifier,
        cast(null as uuid) as person_key,
        cast(null as integer) as birth_year,
        cast(null as integer) as sex
    from {{ ref('int_person__resident') }} as resident
    cross join lateral (
        values
        (case when resident.number_is_shared then resident.personal_id end),
        (case when resident.card_is_shared then resident.id_card end)
    ) as shown (identifier)
    where (resident.number_is_shared or resident.card_is_shared) and shown.identifier is not null
),

found as (
    select
        read_numbers.*,
        known.identifier is not null as is_known,
        known.person_key as known_key,
        coalesce(read_numbers.birth_year <> known.birth_year, false)
        or coalesce(read_numbers.sex <> known.sex, false) as contradicts,
        read_numbers.birth_year = known.birth_year as agrees
    from read_numbers
    left join known on coalesce(read_numbers.number, read_numbers.id_card) = known.identifier
    {{ once() }}
),

judged as (
    select
        *,
        case
            when id_text is null then 'no_identifier'
            when is_filled then 'filler'
            when is_known and known_key is null then 'shared'
            when number is not null and not is_known
                and left(number, 3) not in (select code from {{ ref('birth_place_code') }}) then 'malformed'
            when number is not null then null
            when id_card is not null and not is_known then 'card_unknown'
            when id_card is not null and contradicts then 'card_contradicted'
            when id_card is not null then null
            when id_text ~ '^[A-Za-z]{1,2}[0-9]{6,8}$' then 'foreign_document'
            else 'malformed'
        end as reason
    from found
    {{ once() }}
),

linked as (
    select
        register,
        record_key,
        case
            when reason is not null then null
            when known_key is not null then known_key
            else {{ pseudonym('person', 'number') }}
        end as person_key,
        case
            when reason is not null then 'none'
            when number is null then 'card'
            when length(id_text) = 11 then 'personal_id_recovered'
            else 'personal_id'
        end as method,
        reason,
        is_known,
        contradicts
        or coalesce(not is_known and birth_year <> {{ id_birth_year('number') }}, false) as contradicts,
        coalesce(agrees, false) as agrees,
        birth_year,
        sex,
        case when reason is null then {{ id_birth_year('number') }} end as number_birth_year,
        case when reason is null then cast({{ id_sex_code('number') }} as integer) end as number_sex,
        active_on
    from judged
),

residents as (
    select
        'resident' as register,
        record_id as record_key,
        person_key,
        case
            when personal_id is null or number_is_shared then 'record'
            when is_recovered then 'personal_id_recovered'
            else 'personal_id'
        end as method,
        cast(null as text) as reason,
        true as is_known,
        not number_is_shared
        and coalesce(
            birth_year <> {{ id_birth_year('personal_id') }}
            or sex <> cast({{ id_sex_code('personal_id') }} as integer),
            false
        ) as contradicts,
        true as agrees,
        birth_year,
        sex,
        case when not number_is_shared then {{ id_birth_year('personal_id') }} end as number_birth_year,
        case when not number_is_shared then cast({{ id_sex_code('personal_id') }} as integer) end as number_sex,
        cast(null as date) as active_on
    from {{ ref('int_person__resident') }}
    where true{{ in_scope('record_id') }}
),

all_records as (
    select * from linked
    union all
    select * from residents
)

select
    register,
    record_key,
    person_key,
    method,
    case
        when method = 'none' then 'none'
        when contradicts then 'low'
        when is_known and method in ('personal_id', 'record') then 'certain'
        when is_known and agrees then 'high'
        when is_known or method = 'personal_id' then 'medium'
        else 'low'
    end as confidence,
    reason,
    birth_year,
    sex,
    number_birth_year,
    number_sex,
    active_on
from all_records
