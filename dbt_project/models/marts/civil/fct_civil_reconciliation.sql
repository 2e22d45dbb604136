-- How far two registers agree on births and deaths, by month of the event and commune.
select
    cast(date_trunc('month', event_date) as date) as month_start,
    commune_key,
    event_type,
    outcome,
    cast(count(*) as integer) as events
from {{ ref('int_civil__match') }}
group by 1, 2, 3, 4
