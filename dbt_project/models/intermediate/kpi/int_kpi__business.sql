-- What a commune adds to the business metrics of the yearbook in a month.
with events as (
    select
        month_start,
        commune_key,
        present_commune_key,
        count(*) filter (where event_type = 'registered') as registered,
        count(*) filter (where event_type = 'resumed') as resumed,
        count(*) filter (where event_type = 'suspended') as suspended,
        count(*) filter (where event_type = 'dissolved') as dissolved,
        count(*) filter (where event_type = 'revoked') as revoked
    from {{ ref('fct_enterprise_event') }}
    group by month_start, commune_key, present_commune_key
),

stock as (
    select
        cast(date_trunc('month', month_end) as date) as month_start,
        commune_key,
        present_commune_key,
        sum(enterprises) filter (where state = 'operating') as operating,
        sum(enterprises) filter (where state = 'suspended') as suspended
    from {{ ref('fct_enterprise_stock_month') }}
    group by month_end, commune_key, present_commune_key
),

closed as (
    select
        enterprise_code,
        min(started_on) as closed_on
    from {{ ref('int_business__spell') }}
    where state = 'closed'
    group by enterprise_code
),

-- Those registered a year ago, counted in the month in which they complete it.
cohorts as (
    select
        cast(date_trunc('month', event.event_date + interval '12 months') as date) as month_start,
        event.commune_key,
        event.present_commune_key,
        count(*) as registered,
        count(*) filter (where coalesce(closed.closed_on, 'infinity') > event.event_date + interval '12 months')
            as survivors
    from {{ ref('fct_enterprise_event') }} as event
    inner join {{ ref('stg_business__enterprise_event') }} as record on event.event_no = record.event_no
    left join closed on record.enterprise_code = closed.enterprise_code
    where event.event_type = 'registered' and event.event_date + interval '12 months' <= {{ as_of() }}
    group by
        date_trunc('month', event.event_date + interval '12 months'), event.commune_key, event.present_commune_key
),

counted as (
    select
        events.month_start,
        events.commune_key,
        events.present_commune_key,
        metric.*
    from events
    cross join lateral (
        values
        ('enterprises_registered', 'sum', registered, null),
        ('enterprises_resumed', 'sum', resumed, null),
        ('enterprises_suspended', 'sum', suspended, null),
        ('enterprises_dissolved', 'sum', dissolved, null),
        ('enterprises_revoked', 'sum', revoked, null),
        ('enterprises_leaving_ratio', 'sum', suspended + dissolved + revoked, registered + resumed)
    ) as metric (metric_code, accrual, numerator, denominator)

    union all

    select
        stock.month_start,
        stock.commune_key,
        stock.present_commune_key,
        metric.*
    from stock
    cross join lateral (
        values
        ('enterprises_operating', 'last', operating, null),
        ('enterprises_in_suspension', 'last', suspended, null),
        ('enterprises_per_1000', 'last', operating, 0)
    ) as metric (metric_code, accrual, numerator, denominator)

    union all

    select
        month_start,
        commune_key,
        present_commune_key,
        'enterprises_surviving_12_months' as metric_code,
        'sum' as accrual,
        survivors as numerator,
        registered as denominator
    from cohorts
)

{{ yearbook_sums() }}
