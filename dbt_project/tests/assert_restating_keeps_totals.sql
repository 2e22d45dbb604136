-- Residents of the last month before the reform, restated to the present communes, are as many as before.
with restated as (
    select
        stock.month_end,
        sum(stock.residents * bridge.weight_population) as restated
    from {{ ref('fct_resident_month') }} as stock
    inner join {{ ref('bridge_administrative_unit') }} as bridge on stock.commune_key = bridge.commune_key
    group by stock.month_end
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
    restated.restated
from recorded
left join restated on recorded.month_end = restated.month_end
where restated.restated is distinct from recorded.residents
