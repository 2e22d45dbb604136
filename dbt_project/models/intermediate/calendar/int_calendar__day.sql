-- Every day of the calendar with its working-day number: Monday to Friday without public holidays, and Saturdays in
-- lieu.
with days as (
    select cast(day as date) as day
    from generate_series(date '{{ var("calendar_from") }}', date '{{ var("calendar_to") }}', interval '1 day') as day
),

judged as (
    select
        days.day,
        case
            when holiday.kind = 'working' then true
            when holiday.kind in ('statutory', 'in_lieu', 'swapped') then false
            -- A proposed holiday is a day like any other until it is law.
            else extract(isodow from days.day) < 6
        end as is_working_day,
        holiday.name_vi as holiday_name,
        coalesce(holiday.certainty, 'official') as certainty
    from days
    left join {{ ref('public_holiday') }} as holiday on days.day = holiday.day
)

select
    day,
    is_working_day,
    holiday_name,
    certainty,
    cast(count(*) filter (where is_working_day) over (order by day) as integer) as working_day_no
from judged
