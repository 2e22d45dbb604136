-- Accounts as they stand: each report adds what has changed since the one before, and what a commune had goes with it
-- when it ends.
with reports as (
    select
        report.*,
        lag(report.level_2, 1, 0) over reports_of_commune as level_2_before,
        lag(report.eligible, 1, 0) over reports_of_commune as eligible_before,
        lead(report.reported_on) over reports_of_commune is null as is_last,
        unit.valid_to
    from {{ ref('fct_identity_report') }} as report
    inner join {{ ref('dim_administrative_unit') }} as unit on report.commune_key = unit.commune_key
    window reports_of_commune as (partition by report.commune_key order by report.reported_on)
),

changes as (
    select
        agency_key,
        former_province,
        reported_on as day,
        level_2 - level_2_before as numerator,
        eligible - eligible_before as denominator
    from reports

    union all

    select
        agency_key,
        former_province,
        valid_to + 1 as day,
        -level_2 as numerator,
        -eligible as denominator
    from reports
    where is_last and valid_to < {{ as_of() }}
)

select
    'identity_level_2' as metric_code,
    'press' as metric_version,
    'running' as accrual,
    agency_key,
    former_province,
    day,
    sum(numerator) as numerator,
    sum(denominator) as denominator
from changes
group by agency_key, former_province, day
