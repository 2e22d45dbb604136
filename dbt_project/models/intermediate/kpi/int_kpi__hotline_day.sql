-- What each day adds to the metrics of petitions. Reports from the spot and feedback on regulations and behaviour share
-- no metric.
with reports as (
    select
        report.agency_key,
        metric.*
    from {{ ref('fct_petition') }} as report
    cross join lateral (
        values
        ('hotline_received', 'press', 'sum', report.received_on, 1, null),
        ('hotline_received_total', 'press', 'running', report.received_on, 1, null),
        ('hotline_open', 'press', 'running', report.received_on, 1, null),
        ('hotline_open', 'press', 'running', coalesce(report.answered_on, report.refused_on), -1, null),
        (
            'hotline_on_time', 'press', 'sum',
            case when report.is_on_time is not null then report.answered_on end, cast(report.is_on_time as integer), 1
        ),
        (
            'hotline_on_time', 'strict', 'sum',
            case when not report.is_refused and report.due_on <= {{ as_of() }} then report.due_on end,
            cast(coalesce(report.is_on_time, false) as integer), 1
        ),
        (
            'hotline_satisfaction', 'press', 'sum',
            case when report.is_satisfied is not null then report.answered_on end,
            cast(report.is_satisfied as integer), 1
        )
    ) as metric (metric_code, metric_version, accrual, day, numerator, denominator)
),

feedback as (
    select
        one.agency_key,
        metric.*
    from {{ ref('fct_administrative_feedback') }} as one
    cross join lateral (
        values
        ('feedback_by_kind', 'strict', 'sum', one.received_on, cast(one.kind = 'regulation' as integer), 1),
        ('feedback_on_time', 'strict', 'sum', one.settled_on, cast(one.is_on_time as integer), 1),
        ('feedback_satisfaction', 'strict', 'sum', one.settled_on, cast(one.is_satisfactory as integer), 1)
    ) as metric (metric_code, metric_version, accrual, day, numerator, denominator)
),

counted as (
    select * from reports
    union all
    select * from feedback
)

select
    counted.metric_code,
    counted.metric_version,
    counted.accrual,
    counted.agency_key,
    agency.former_province,
    counted.day,
    sum(counted.numerator) as numerator,
    sum(counted.denominator) as denominator
from counted
inner join {{ ref('dim_agency') }} as agency on counted.agency_key = agency.agency_key
where counted.day is not null
group by
    counted.metric_code, counted.metric_version, counted.accrual, counted.agency_key, agency.former_province,
    counted.day
