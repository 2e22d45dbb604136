-- What each day adds to the numerator and the denominator of a metric version: any period of any agency is a sum of
-- these rows. accrual: `sum`, of the days in the period; `running`, of all days up to its end.
with dossiers as (
    select
        day.agency_key,
        day.day,
        metric.*
    from {{ ref('fct_dossier_day') }} as day
    cross join lateral (
        {{ dossier_metrics() }}
    ) as metric (metric_code, metric_version, accrual, numerator, denominator)
),

-- A procedure enters the stock on its first day and leaves it on the day after its last.
catalogue as (
    select
        metric.metric_code,
        change.day,
        sum(change.step) filter (where metric.is_counted) as numerator,
        sum(change.step) filter (where metric.has_denominator) as denominator
    from {{ ref('dim_procedure') }} as procedure
    cross join lateral (
        values
        (coalesce(procedure.effective_from, date '{{ var("calendar_from") }}'), 1),
        (procedure.effective_to + 1, -1)
    ) as change (day, step)
    cross join lateral (
        values
        ('procedures_in_force', true, false),
        ('procedures_online', procedure.is_online, true),
        ('procedures_fully_online', procedure.service_level = 'TT', false),
        ('procedures_partly_online', procedure.service_level = 'MP', false)
    ) as metric (metric_code, is_counted, has_denominator)
    where change.day <= {{ as_of() }}
    group by metric.metric_code, change.day
),

-- 1.1 and 1.2: working days between two of decision, publication and legal basis; those before the calendar begins are
-- not measured.
decided as (
    select
        procedure.decided_on as day,
        metric.metric_code,
        count(*) filter (where metric.is_in_time) as numerator,
        count(*) as denominator
    from {{ ref('dim_procedure') }} as procedure
    inner join {{ ref('int_calendar__day') }} as decision on procedure.decided_on = decision.day
    left join {{ ref('int_calendar__day') }} as publication on procedure.published_on = publication.day
    left join {{ ref('int_calendar__day') }} as basis on procedure.basis_effective_on = basis.day
    cross join lateral (
        values
        ('procedures_decided_in_time', basis.working_day_no - decision.working_day_no >= 5),
        ('procedures_published_in_time', publication.working_day_no - decision.working_day_no <= 5)
    ) as metric (metric_code, is_in_time)
    where procedure.decided_on <= {{ as_of() }}
    group by procedure.decided_on, metric.metric_code
),

counted as (
    select
        metric_code,
        metric_version,
        accrual,
        agency_key,
        day,
        numerator,
        denominator
    from dossiers

    union all

    select
        metric_code,
        'press' as metric_version,
        'running' as accrual,
        null as agency_key,
        day,
        coalesce(numerator, 0) as numerator,
        denominator
    from catalogue

    union all

    select
        metric_code,
        'strict' as metric_version,
        'sum' as accrual,
        null as agency_key,
        day,
        numerator,
        denominator
    from decided
)

select
    counted.metric_code,
    counted.metric_version,
    counted.accrual,
    counted.agency_key,
    agency.former_province,
    counted.day,
    cast(sum(counted.numerator) as numeric(20, 6)) as numerator,
    cast(sum(counted.denominator) as numeric(20, 6)) as denominator
from counted
left join {{ ref('dim_agency') }} as agency on counted.agency_key = agency.agency_key
where counted.numerator <> 0 or coalesce(counted.denominator, 0) <> 0
group by
    counted.metric_code, counted.metric_version, counted.accrual, counted.agency_key, agency.former_province,
    counted.day
