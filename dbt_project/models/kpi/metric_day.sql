-- What each day adds to the numerator and the denominator of every metric version. A flow is summed over a period, a
-- stock over all days up to its end; nobody computes a rate from anything else.
with received as (
    select
        dossier.agency_key,
        dossier.received_on as day,
        count(*) as dossiers,
        count(*) filter (where dossier.is_online) as online,
        count(*) filter (where dossier.is_online_strict) as online_strict,
        count(*) filter (where dossier.is_digitised) as digitised,
        -- 9 and 10: a result is there; who withdrew (7) or was stopped (8) waits for none.
        count(*) filter (where dossier.status_code in ('9', '10')) as results,
        count(*) filter (where dossier.status_code in ('9', '10') and dossier.has_electronic_result) as electronic,
        count(*) filter (where dossier.status_code in ('9', '10') and procedure.needs_paper_result) as paper,
        count(*) filter (
            where dossier.status_code in ('9', '10') and procedure.needs_paper_result and dossier.has_electronic_result
        ) as paper_electronic
    from {{ ref('fct_dossier') }} as dossier
    inner join {{ ref('dim_procedure') }} as procedure on dossier.procedure_code = procedure.procedure_code
    where dossier.is_received and dossier.received_on <= {{ as_of() }}
    group by dossier.agency_key, dossier.received_on
),

settled as (
    select
        handling_agency_key as agency_key,
        settled_on as day,
        count(*) as dossiers,
        count(*) filter (where is_on_time) as on_time,
        count(*) filter (where is_on_time_strict) as on_time_strict
    from {{ ref('fct_dossier') }}
    where is_settled and settled_on <= {{ as_of() }}
    group by handling_agency_key, settled_on
),

-- A procedure enters the stock on its first day and leaves it on the day after its last.
catalogue as (
    select
        change.day,
        sum(change.step) as procedures,
        sum(change.step) filter (where procedure.is_online) as online,
        sum(change.step) filter (where procedure.service_level = 'TT') as fully,
        sum(change.step) filter (where procedure.service_level = 'MP') as partly
    from {{ ref('dim_procedure') }} as procedure
    cross join lateral (
        values
        (coalesce(procedure.effective_from, date '{{ var("calendar_from") }}'), 1),
        (procedure.effective_to + 1, -1)
    ) as change (day, step)
    where change.day <= {{ as_of() }}
    group by change.day
),

counted as (
    select
        metric.metric_code,
        metric.metric_version,
        received.agency_key,
        received.day,
        metric.numerator,
        metric.denominator
    from received
    cross join lateral (
        values
        ('dossiers_online', 'press', received.online, received.dossiers),
        ('dossiers_online', 'strict', received.online_strict, received.dossiers),
        ('dossiers_digitised', 'press', received.digitised, received.dossiers),
        ('electronic_results', 'press', received.electronic, received.results),
        ('electronic_results', 'strict', received.paper_electronic, received.paper)
    ) as metric (metric_code, metric_version, numerator, denominator)

    union all

    select
        metric.metric_code,
        metric.metric_version,
        settled.agency_key,
        settled.day,
        metric.numerator,
        metric.denominator
    from settled
    cross join lateral (
        values
        ('dossiers_on_time', 'press', settled.on_time, settled.dossiers),
        ('dossiers_on_time', 'strict', settled.on_time_strict, settled.dossiers)
    ) as metric (metric_code, metric_version, numerator, denominator)

    union all

    select
        metric.metric_code,
        metric.metric_version,
        null as agency_key,
        catalogue.day,
        metric.numerator,
        metric.denominator
    from catalogue
    cross join lateral (
        values
        ('procedures_online', 'press', catalogue.online, catalogue.procedures),
        ('procedures_fully_online', 'press', catalogue.fully, null),
        ('procedures_partly_online', 'press', catalogue.partly, null)
    ) as metric (metric_code, metric_version, numerator, denominator)
)

select
    counted.metric_code,
    counted.metric_version,
    counted.agency_key,
    agency.former_province,
    counted.day,
    cast(coalesce(counted.numerator, 0) as bigint) as numerator,
    cast(counted.denominator as bigint) as denominator
from counted
left join {{ ref('dim_agency') }} as agency on counted.agency_key = agency.agency_key
where coalesce(counted.numerator, 0) <> 0 or coalesce(counted.denominator, 0) <> 0
