{{ config(materialized='view') }}

-- Metrics that count procedures, each once however often it was used: no sum of days gives them. A procedure counts in
-- a period when one of its rows reaches into it.
with areas as (
    select distinct former_province
    from {{ ref('fct_procedure_day') }}
),

used as (
    select
        usage.former_province,
        usage.procedure_code,
        usage.day as from_day,
        usage.day as to_day,
        metric.metric_code,
        metric.metric_version,
        metric.in_numerator,
        metric.in_denominator
    from {{ ref('fct_procedure_day') }} as usage
    inner join {{ ref('dim_procedure') }} as procedure on usage.procedure_code = procedure.procedure_code
    cross join lateral (
        values
        ('services_with_dossiers', 'press', procedure.is_online and usage.is_filed_online, procedure.is_online),
        ('services_with_dossiers', 'strict', procedure.is_online and usage.is_filed_online, false),
        ('procedures_paid_online', 'press', procedure.fee_vnd > 0 and usage.is_paid_online, false),
        ('procedures_paid_online', 'strict', procedure.fee_vnd > 0 and usage.is_fee_told, false),
        ('procedures_with_population_data', 'strict', usage.is_with_population_data, false)
    ) as metric (metric_code, metric_version, in_numerator, in_denominator)
),

in_force as (
    select
        area.former_province,
        procedure.procedure_code,
        coalesce(procedure.effective_from, date '{{ var("calendar_from") }}') as from_day,
        coalesce(procedure.effective_to, 'infinity') as to_day,
        metric.metric_code,
        metric.metric_version,
        false as in_numerator,
        metric.in_denominator
    from {{ ref('dim_procedure') }} as procedure
    cross join areas as area
    cross join lateral (
        values
        ('services_with_dossiers', 'strict', procedure.is_online),
        ('procedures_paid_online', 'press', procedure.fee_vnd > 0),
        ('procedures_paid_online', 'strict', procedure.fee_vnd > 0),
        ('procedures_with_population_data', 'strict', true)
    ) as metric (metric_code, metric_version, in_denominator)
),

members as (
    select * from used
    union all
    select * from in_force
)

select
    metric_code,
    metric_version,
    former_province,
    procedure_code,
    in_numerator,
    in_denominator,
    from_day,
    to_day
from members
where in_numerator or in_denominator
