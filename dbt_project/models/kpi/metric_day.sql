-- What each day adds to the numerator and the denominator of a metric version: any period of any agency is a sum of
-- these rows. accrual: `sum`, of the days in the period; `running`, of all days up to its end.
-- Fields are added up before the counts are laid out as metrics, of which there are twenty to a row.
with days as (
    select
        agency_key,
        day,
        {%- for column in dossier_counts() %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('fct_dossier_day') }}
    group by agency_key, day
),

dossiers as (
    select
        days.agency_key,
        agency.former_province,
        days.day,
        metric.*
    from days
    inner join {{ ref('dim_agency') }} as agency on days.agency_key = agency.agency_key
    cross join lateral (
        {{ dossier_metrics() }}
    ) as metric (metric_code, metric_version, accrual, numerator, denominator)
    where metric.numerator <> 0 or metric.denominator <> 0
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
        former_province,
        day,
        numerator,
        denominator
    from dossiers

    union all

    select * from {{ ref('int_kpi__day') }}
    where numerator <> 0 or denominator <> 0

    union all

    select
        metric_code,
        'press' as metric_version,
        'running' as accrual,
        null as agency_key,
        null as former_province,
        day,
        coalesce(numerator, 0) as numerator,
        denominator
    from catalogue
    where numerator <> 0 or denominator <> 0

    union all

    select
        metric_code,
        'strict' as metric_version,
        'sum' as accrual,
        null as agency_key,
        null as former_province,
        day,
        numerator,
        denominator
    from decided
)

select
    metric_code,
    metric_version,
    accrual,
    agency_key,
    former_province,
    day,
    cast(numerator as numeric(20, 6)) as numerator,
    cast(denominator as numeric(20, 6)) as denominator
from counted
