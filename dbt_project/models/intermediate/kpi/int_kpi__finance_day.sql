-- What a month adds to the execution of the budget, on its first day. A province or a district of before the reform has
-- its former province; the merged one's own budget is the whole province's.
select
    case fact.flow
        when 'revenue' then 'budget_revenue_execution' else 'budget_expenditure_execution'
    end as metric_code,
    'press' as metric_version,
    'sum' as accrual,
    cast(null as text) as agency_key,
    place.former_province,
    fact.month_start as day,
    cast(sum(fact.executed_vnd) / 1e6 as numeric(20, 6)) as numerator,
    cast(sum(fact.estimate_vnd) / 1e6 as numeric(20, 6)) as denominator
from {{ ref('fct_budget_month') }} as fact
inner join {{ ref('dim_administrative_unit') }} as place on fact.place_key = place.unit_key
group by fact.flow, place.former_province, fact.month_start
