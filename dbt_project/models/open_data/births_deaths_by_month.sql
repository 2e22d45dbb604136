with counted as (
    select
        event.month_start,
        unit.former_province,
        event.event_type,
        event.sex,
        sum(event.events) as events,
        {{ cell_key('event.events_draw') }} as cell_key
    from {{ ref('fct_population_event') }} as event
    inner join {{ ref('dim_administrative_unit') }} as unit on event.commune_key = unit.commune_key
    where event.event_type in ('birth', 'death') and event.sex in ('male', 'female')
    group by event.month_start, unit.former_province, event.event_type, event.sex
),

parts as (
    select distinct former_province
    from {{ ref('dim_administrative_unit') }}
    where former_province is not null
),

spine as (
    select
        cast(month as date) as month_start,
        parts.former_province,
        kind.event_type,
        sex.sex
    from generate_series(date '{{ var("first_month") }}', {{ month_start(last_month()) }}, interval '1 month') as month
    cross join parts
    cross join (values ('birth'), ('death')) as kind (event_type)
    cross join (values ('male'), ('female')) as sex (sex)
),

protected as (
    select
        spine.*,
        {{ publishable('coalesce(counted.events, 0)', 'counted.cell_key') }} as events
    from spine
    left join counted
        on
            spine.month_start = counted.month_start
            and spine.former_province = counted.former_province
            and spine.event_type = counted.event_type
            and spine.sex = counted.sex
)

select
    month_start,
    former_province,
    event_type,
    sex,
    cast(events as integer) as events,
    events is null as events_suppressed
from protected
