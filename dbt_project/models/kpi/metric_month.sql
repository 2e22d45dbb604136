-- The values that boards and reports show: whole months only, flows of the month, stocks at its end.
with months as (
    select cast(month as date) as month_start
    from
        generate_series(
            date '{{ var("first_month") }}', {{ month_start(last_month()) }}, interval '1 month'
        ) as month
),

days as (
    select
        metric.metric_code,
        metric.metric_version,
        metric.kind,
        metric.unit,
        day.agency_key,
        day.former_province,
        cast(date_trunc('month', day.day) as date) as month_start,
        sum(day.numerator) as numerator,
        sum(day.denominator) as denominator
    from {{ ref('metric') }} as metric
    inner join {{ ref('metric_day') }} as day
        on metric.metric_code = day.metric_code and metric.metric_version = day.metric_version
    group by 1, 2, 3, 4, 5, 6, 7
),

summed as (
    select
        days.metric_code,
        days.metric_version,
        days.unit,
        days.agency_key,
        days.former_province,
        months.month_start,
        sum(days.numerator) as numerator,
        sum(days.denominator) as denominator
    from days
    inner join months
        on
            days.month_start = months.month_start
            or (days.kind = 'stock' and days.month_start < months.month_start)
    group by 1, 2, 3, 4, 5, 6
)

select
    metric_code,
    metric_version,
    agency_key,
    former_province,
    month_start,
    cast(numerator as bigint) as numerator,
    cast(denominator as bigint) as denominator,
    cast(
        case when unit = 'percent' then round(100.0 * numerator / nullif(denominator, 0), 2) else numerator end
        as numeric(18, 2)
    ) as value
from summed
