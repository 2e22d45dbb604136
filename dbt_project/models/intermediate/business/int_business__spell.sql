-- The state and seat of an enterprise from one registration event to the next.
-- Without a first registration among the events it was there before them, operating, since its foundation.
with events as (
    select
        enterprise_code,
        event_no,
        event_type,
        event_date,
        commune_key,
        -- A change of seat leaves the state as it was.
        count(*) filter (where event_type <> 'CTC') over by_time as state_no,
        row_number() over by_time as event_place,
        lead(event_date) over by_time as ended_on
    from {{ ref('stg_business__enterprise_event') }}
    window by_time as (
        partition by enterprise_code
        order by event_date, array_position(array['DKM', 'CTC', 'TN', 'HDTL', 'GT', 'TH'], event_type), event_no
    )
),

after_event as (
    select
        enterprise_code,
        commune_key,
        event_date as started_on,
        ended_on,
        case first_value(event_type) over (partition by enterprise_code, state_no order by event_place)
            when 'TN' then 'suspended'
            when 'GT' then 'closed'
            when 'TH' then 'closed'
            else 'operating'
        end as state
    from events
),

before_events as (
    select
        enterprise.enterprise_code,
        coalesce(first_event.commune_key, enterprise.commune_key) as commune_key,
        enterprise.founded_on as started_on,
        coalesce(
            first_event.event_date,
            case when enterprise.state <> 'operating' then coalesce(enterprise.amended_on, enterprise.founded_on) end
        ) as ended_on,
        'operating' as state
    from {{ ref('stg_business__enterprise') }} as enterprise
    left join events as first_event
        on enterprise.enterprise_code = first_event.enterprise_code and first_event.event_place = 1
    where first_event.event_type is distinct from 'DKM'
),

-- No event tells of it, but the register says that it no longer operates: since its last amendment.
by_register as (
    select
        enterprise.enterprise_code,
        enterprise.commune_key,
        coalesce(enterprise.amended_on, enterprise.founded_on) as started_on,
        cast(null as date) as ended_on,
        enterprise.state
    from {{ ref('stg_business__enterprise') }} as enterprise
    where enterprise.state <> 'operating'
        and not exists (
            select from events
            where events.enterprise_code = enterprise.enterprise_code
        )
),

spells as (
    select * from before_events
    union all
    select
        enterprise_code,
        commune_key,
        started_on,
        ended_on,
        state
    from after_event
    union all
    select * from by_register
)

select
    spells.enterprise_code,
    coalesce(enterprise.section, '?') as section,
    coalesce(enterprise.legal_form, '?') as legal_form,
    spells.state,
    spells.commune_key,
    case when spells.ended_on is null then enterprise.commune_key end as known_present_key,
    spells.started_on,
    spells.ended_on
from spells
inner join {{ ref('stg_business__enterprise') }} as enterprise on spells.enterprise_code = enterprise.enterprise_code
