-- By the month of registration: what the offices did. In time: a birth within 60 days, a death within 15 (Luật Hộ tịch
-- 60/2014/QH13, Điều 15 và 33); a marriage is registered as it is made.
with registrations as (
    select
        registration_no,
        event_type,
        cast(date_trunc('month', registered_on) as date) as month_start,
        commune_key,
        registered_on - event_date
        <= case event_type when 'birth' then 60 when 'death' then 15 end as is_in_time,
        event_date is not null and event_type <> 'marriage' as is_timed
    from {{ ref('stg_civil__registration') }}
)

select
    month_start,
    commune_key,
    event_type,
    cast(count(*) as integer) as registrations,
    cast(count(*) filter (where is_timed) as integer) as timed,
    cast(count(*) filter (where is_timed and is_in_time) as integer) as in_time,
    {{ cell_key(record_draw('civil registration', 'registration_no')) }} as registrations_draw
from registrations
group by month_start, commune_key, event_type
