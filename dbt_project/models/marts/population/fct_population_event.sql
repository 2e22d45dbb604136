with changes as (
    select
        from_month as month_no,
        commune_key,
        present_commune_key,
        start_cause as event_type,
        sex,
        draw,
        1 as direction
    from {{ ref('int_population__stay') }}

    union all

    select
        until_month as month_no,
        commune_key,
        present_commune_key,
        end_cause as event_type,
        sex,
        draw,
        -1 as direction
    from {{ ref('int_population__stay') }}
    where until_month is not null
)

select
    {{ month_start('month_no') }} as month_start,
    commune_key,
    present_commune_key,
    event_type,
    sex,
    direction,
    cast(count(*) as integer) as events,
    {{ cell_key('draw') }} as events_draw
from changes
where month_no > {{ opening_month() }} and month_no <= {{ last_month() }}
group by month_no, commune_key, present_commune_key, event_type, sex, direction
