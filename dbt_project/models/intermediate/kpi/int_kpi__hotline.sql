-- What a commune adds to the metrics of petitions in a month, by the place that was told.
with counted as (
    select
        report.commune_key,
        report.present_commune_key,
        metric.metric_code,
        cast(date_trunc('month', metric.day) as date) as month_start,
        metric.numerator,
        metric.denominator
    from {{ ref('fct_petition') }} as report
    cross join lateral (
        values
        ('hotline_received', report.received_on, 1, null),
        (
            'hotline_on_time', case when report.is_on_time is not null then report.answered_on end,
            cast(report.is_on_time as integer), 1
        )
    ) as metric (metric_code, day, numerator, denominator)
    where report.commune_key is not null and metric.day is not null
)

select
    metric_code,
    'press' as metric_version,
    'sum' as accrual,
    commune_key,
    present_commune_key,
    month_start,
    sum(numerator) as numerator,
    sum(denominator) as denominator
from counted
group by metric_code, commune_key, present_commune_key, month_start
