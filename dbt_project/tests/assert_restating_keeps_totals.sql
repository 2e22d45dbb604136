-- By weights alone, as facts are restated whose records do not know their place: residents of each month-end are as
-- many in the present communes as in those of the time, to the last digit. If this fails, weights lose or make people.
with restated as (
    {{ restated_rows(
        ref('fct_resident_month'), ['month_end'], {'residents': {'measure': 'count', 'column': 'residents'}}, false
    ) }}
),

totals as (
    select
        month_end,
        sum(residents) as residents
    from restated
    group by month_end
),

recorded as (
    select
        month_end,
        sum(residents) as residents
    from {{ ref('fct_resident_month') }}
    group by month_end
)

select
    recorded.month_end,
    recorded.residents,
    totals.residents as restated
from recorded
full join totals on recorded.month_end = totals.month_end
where recorded.residents is distinct from totals.residents
