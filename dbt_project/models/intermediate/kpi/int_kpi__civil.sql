-- What a commune adds to the metrics of civil status in a month: by the month of registration, and for the agreement of
-- the two registers by that of the event. The sides of the marriage rate meet with the months lived by the residents.
with placed as (
    select
        fact.month_start,
        fact.commune_key,
        bridge.present_commune_key,
        fact.event_type,
        fact.registrations * bridge.weight_population as registrations,
        fact.timed * bridge.weight_population as timed,
        fact.in_time * bridge.weight_population as in_time
    from {{ ref('fct_civil_registration_month') }} as fact
    inner join {{ ref('bridge_administrative_unit') }} as bridge on fact.commune_key = bridge.commune_key
    where
        fact.month_start >= date '{{ var("first_month") }}'
        and cast(fact.month_start + interval '1 month - 1 day' as date) <= {{ as_of() }}
),

compared as (
    select
        fact.month_start,
        fact.commune_key,
        bridge.present_commune_key,
        sum(fact.events * bridge.weight_population) as events,
        sum(case when fact.outcome = 'agree' then fact.events * bridge.weight_population else 0 end) as agreeing
    from {{ ref('fct_civil_reconciliation') }} as fact
    inner join {{ ref('bridge_administrative_unit') }} as bridge on fact.commune_key = bridge.commune_key
    where cast(fact.month_start + interval '1 month - 1 day' as date) <= {{ as_of() }}
    group by 1, 2, 3
),

residents as (
    select
        cast(date_trunc('month', month_end) as date) as month_start,
        commune_key,
        present_commune_key,
        sum(residents) as residents
    from {{ ref('fct_resident_month') }}
    where cast(date_trunc('month', month_end) as date) in (select placed.month_start from placed)
    group by 1, 2, 3
),

counted as (
    select
        placed.month_start,
        placed.commune_key,
        placed.present_commune_key,
        metric.metric_code,
        'sum' as accrual,
        metric.numerator,
        metric.denominator
    from placed
    cross join lateral (
        values
        ('marriages', 'marriage', registrations, null),
        ('marriage_rate', 'marriage', registrations, 0),
        ('births_registered_in_time', 'birth', in_time, timed),
        ('deaths_registered_in_time', 'death', in_time, timed)
    ) as metric (metric_code, event_type, numerator, denominator)
    where placed.event_type = metric.event_type

    union all

    select
        month_start,
        commune_key,
        present_commune_key,
        'civil_events_agreeing' as metric_code,
        'sum' as accrual,
        agreeing as numerator,
        events as denominator
    from compared

    union all

    select
        month_start,
        commune_key,
        present_commune_key,
        'marriage_rate' as metric_code,
        'sum' as accrual,
        0 as numerator,
        residents as denominator
    from residents
)

{{ yearbook_sums() }}
