-- What the days of a metric sum up to is what the months of the dossiers hold, counted on another way.
with by_days as (
    select
        agency_key,
        cast(date_trunc('month', day) as date) as month_start,
        sum(denominator) filter (where metric_code = 'dossiers_online') as received,
        sum(numerator) filter (where metric_code = 'dossiers_online') as received_online,
        sum(denominator) filter (where metric_code = 'dossiers_on_time') as settled,
        sum(numerator) filter (where metric_code = 'dossiers_on_time') as settled_on_time
    from {{ ref('metric_day') }}
    where
        metric_version = 'press' and metric_code in ('dossiers_online', 'dossiers_on_time')
        and day <= {{ month_end(last_month()) }}
    group by 1, 2
),

by_months as (
    select
        agency_key,
        month_start,
        sum(received) as received,
        sum(received_online) as received_online,
        sum(settled) as settled,
        sum(settled_on_time) as settled_on_time
    from {{ ref('fct_dossier_month') }}
    group by 1, 2
)

select
    by_months.agency_key,
    by_months.month_start
from by_months
full join by_days
    on by_months.agency_key = by_days.agency_key and by_months.month_start = by_days.month_start
where
    (
        coalesce(by_months.received, 0), coalesce(by_months.received_online, 0),
        coalesce(by_months.settled, 0), coalesce(by_months.settled_on_time, 0)
    )
    is distinct from
    (
        coalesce(by_days.received, 0), coalesce(by_days.received_online, 0),
        coalesce(by_days.settled, 0), coalesce(by_days.settled_on_time, 0)
    )
