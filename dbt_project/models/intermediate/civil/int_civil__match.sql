-- Births and deaths of the justice offices beside those of the register of residents, by the number of the person.
-- Where a number stands with several records of one kind the first of each side is compared. An event of the register
-- is held against a month only once the justice offices have sent that month.
with registered as (
    select
        registration_no,
        event_type,
        registered_on,
        event_date,
        commune_key,
        person_id,
        case
            when person_id is not null
                then row_number() over (partition by event_type, person_id order by registered_on, registration_no)
        end as copy_no
    from {{ ref('base_civil__registration') }}
    where not _refused and event_type in ('birth', 'death') and event_date >= date '{{ var("first_month") }}'
),

months_sent as (
    select distinct date_trunc('month', registered_on) as month_start
    from {{ ref('base_civil__registration') }}
    where not _refused
),

reported as (
    select
        event.event_id,
        case event.event_type when 'KS' then 'birth' else 'death' end as event_type,
        event.event_date,
        event.to_commune_key as commune_key,
        resident.personal_id as person_id,
        case
            when resident.personal_id is not null
                then row_number() over (
                    partition by event.event_type, resident.personal_id order by event.event_date, event.event_id
                )
        end as copy_no
    from {{ ref('stg_population__event') }} as event
    inner join {{ ref('base_population__resident') }} as resident on event.record_id = resident.record_id
    where
        event.event_type in ('KS', 'KT')
        and event.event_date >= date '{{ var("first_month") }}'
        and date_trunc('month', event.registered_on) in (select months_sent.month_start from months_sent)
)

select
    registered.registration_no,
    reported.event_id,
    coalesce(registered.event_type, reported.event_type) as event_type,
    coalesce(registered.commune_key, reported.commune_key) as commune_key,
    coalesce(registered.event_date, reported.event_date) as event_date,
    case
        when registered.event_date = reported.event_date then 'agree'
        when registered.registration_no is not null and reported.event_id is not null then 'day differs'
        when coalesce(registered.person_id, reported.person_id) is null then 'no number'
        when reported.event_id is null then 'justice only'
        else 'police only'
    end as outcome
from registered
full join reported
    on
        registered.event_type = reported.event_type
        and registered.person_id = reported.person_id
        and registered.copy_no = 1
        and reported.copy_no = 1
