select
    day,
    cast(extract(year from day) as integer) as year_no,
    cast(extract(quarter from day) as integer) as quarter_no,
    cast(extract(month from day) as integer) as month_no,
    cast(date_trunc('month', day) as date) as month_start,
    cast(date_trunc('month', day) + interval '1 month - 1 day' as date) as month_end,
    cast(extract(isodow from day) as integer) as weekday_no,
    is_working_day,
    working_day_no,
    holiday_name,
    certainty = 'official' as is_official
from {{ ref('int_calendar__day') }}
