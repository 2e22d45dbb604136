{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='record_id', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

-- Where a person lived and from when until when, from the events and, where there is none, from the register.
-- started_on null: before the first event that we know. ended_on: the first day away. Both causes name an event type.
with events as (
    select
        record_id,
        event_type,
        event_date,
        from_commune_key,
        to_commune_key,
        lag(event_type) over by_time as earlier_type,
        lead(event_type) over by_time as later_type,
        lead(event_date) over by_time as later_date,
        lead(coalesce(from_commune_key, to_commune_key)) over by_time as later_commune_key
    from {{ ref('stg_population__event') }}
    where true{{ in_scope('record_id') }}
    window by_time as (
        partition by record_id
        order by event_date, array_position(array['KS', 'DEN', 'NOI', 'DI', 'KT'], event_type), event_id
    )
),

-- Birth, arrival and move begin a spell; whatever comes next ends it, and says in which commune it had lasted.
entered as (
    select
        record_id,
        to_commune_key as commune_key,
        case when later_type in ('NOI', 'DI', 'KT') then later_commune_key end as last_commune_key,
        event_date as started_on,
        case event_type when 'KS' then 'birth' when 'DEN' then 'arrival' else 'move_in' end as start_cause,
        later_date as ended_on,
        {{ end_cause('later_type') }} as end_cause
    from events
    where event_type in ('KS', 'DEN', 'NOI')
),

-- A first event that moves or ends somebody tells where they had lived before it.
before_first as (
    select
        record_id,
        coalesce(from_commune_key, to_commune_key) as commune_key,
        coalesce(from_commune_key, to_commune_key) as last_commune_key,
        cast(null as date) as started_on,
        'register_entry' as start_cause,
        event_date as ended_on,
        {{ end_cause('event_type') }} as end_cause
    from events
    where earlier_type is null and event_type in ('NOI', 'DI', 'KT')
),

without_event as (
    select
        record_id,
        permanent_commune_key as commune_key,
        cast(null as text) as last_commune_key,
        permanent_since as started_on,
        'register_entry' as start_cause,
        cast(null as date) as ended_on,
        cast(null as text) as end_cause
    from {{ ref('stg_population__resident') }} as resident
    where not exists (
        select from {{ ref('stg_population__event') }} as event
        where event.record_id = resident.record_id
    ){{ in_scope('resident.record_id') }}
),

spells as (
    select * from entered
    union all
    select * from before_first
    union all
    select * from without_event
),

dated as (
    select
        spells.record_id,
        spells.commune_key,
        spells.last_commune_key,
        spells.start_cause,
        -- Nobody lived anywhere before being born.
        case
            when spells.started_on is null and resident.birth_date_precision = 'day' then resident.birth_date
            else spells.started_on
        end as started_on,
        -- Dead or gone in the register without an event that says when: the day of the register's last word.
        case
            when spells.ended_on is null and resident.status_code <> '1'
                then greatest(spells.started_on, cast(resident.updated_at at time zone 'Asia/Ho_Chi_Minh' as date))
            else spells.ended_on
        end as ended_on,
        coalesce(spells.end_cause, case when resident.status_code <> '1' then 'register_exit' end) as end_cause,
        resident.sex_code,
        resident.birth_date,
        resident.permanent_commune_key,
        resident.current_commune_key
    from spells
    inner join {{ ref('stg_population__resident') }} as resident on spells.record_id = resident.record_id
)

-- Somebody recorded in a commune of the reform had lived in a former one: in that of the register, if it leads there.
select
    dated.record_id,
    case dated.sex_code when '1' then 'male' when '2' then 'female' else 'unknown' end as sex,
    {{ month_number('dated.birth_date') }} as birth_month,
    coalesce(registered.origin_key, predecessor.origin_key, dated.commune_key) as commune_key,
    case
        when registered.origin_key is not null or predecessor.origin_key is not null then dated.commune_key
        when dated.ended_on is null then dated.current_commune_key
        else dated.last_commune_key
    end as known_present_key,
    dated.started_on,
    dated.start_cause,
    dated.ended_on,
    dated.end_cause,
    registered.origin_key is null and predecessor.origin_key is not null as is_drawn,
    {{ record_draw('resident', 'dated.record_id') }} as draw
from dated
left join {{ ref('int_territory__predecessor') }} as registered
    on
        dated.start_cause = 'register_entry'
        and coalesce(dated.started_on, '-infinity') < date '{{ var("two_level_from") }}'
        and dated.commune_key = registered.commune_key and dated.permanent_commune_key = registered.origin_key
left join {{ ref('int_territory__predecessor') }} as predecessor
    on
        registered.origin_key is null
        and dated.start_cause = 'register_entry'
        and coalesce(dated.started_on, '-infinity') < date '{{ var("two_level_from") }}'
        and dated.commune_key = predecessor.commune_key
        and {{ fixed_draw('dated.record_id') }} >= predecessor.low
        and {{ fixed_draw('dated.record_id') }} < predecessor.high
