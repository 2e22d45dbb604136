-- metric_day without the agencies, for any stretch of days of the province or of a former one: thirty times fewer rows.
select
    metric_code,
    metric_version,
    accrual,
    former_province,
    agency_key is null and former_province is null as is_of_whole_province,
    day,
    cast(sum(numerator) as numeric(20, 6)) as numerator,
    cast(sum(denominator) as numeric(20, 6)) as denominator
from {{ ref('metric_day') }}
group by metric_code, metric_version, accrual, former_province, is_of_whole_province, day
