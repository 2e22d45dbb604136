-- Bộ luật Lao động 45/2019/QH14, Điều 112: eleven days a year. If this fails, deadlines are counted wrongly.
with years as (
    select generate_series(
        extract(year from date '{{ var("calendar_from") }}')::integer,
        extract(year from date '{{ var("calendar_to") }}')::integer
    ) as year_no
)

select
    years.year_no,
    count(holiday.day) as statutory_days
from years
left join {{ ref('public_holiday') }} as holiday
    on years.year_no = extract(year from holiday.day) and holiday.kind = 'statutory'
group by years.year_no
having count(holiday.day) <> 11
