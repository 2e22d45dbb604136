-- Accounts of a commune at the end of a month, by its last report of that month, under the present communes by the
-- shares of people.
with reports as (
    select
        commune_key,
        cast(date_trunc('month', reported_on) as date) as month_start,
        eligible,
        level_2,
        row_number() over (
            partition by commune_key, date_trunc('month', reported_on) order by reported_on desc
        ) as position
    from {{ ref('fct_identity_report') }}
)

select
    'identity_level_2' as metric_code,
    'press' as metric_version,
    'last' as accrual,
    report.commune_key,
    bridge.present_commune_key,
    report.month_start,
    report.level_2 * bridge.weight_population as numerator,
    report.eligible * bridge.weight_population as denominator
from reports as report
inner join {{ ref('bridge_administrative_unit') }} as bridge on report.commune_key = bridge.commune_key
where report.position = 1
