-- What was collected or spent in a month beside that month's share of the estimate: an estimate is for its months
-- alike, since nobody says how it is spread. Transfers between levels are not in the export, so levels add up.
with executed as (
    select
        month_start,
        place_key,
        level_code,
        chapter_code,
        item_code,
        amount_vnd as executed_vnd,
        0 as estimate_vnd
    from {{ ref('stg_finance__execution') }}
),

estimated as (
    select
        cast(month as date) as month_start,
        estimate.place_key,
        estimate.level_code,
        estimate.chapter_code,
        estimate.item_code,
        0 as executed_vnd,
        estimate.amount_vnd
        / ({{ month_number('estimate.to_month') }} - {{ month_number('estimate.from_month') }} + 1) as estimate_vnd
    from {{ ref('stg_finance__estimate') }} as estimate
    cross join lateral generate_series(estimate.from_month, estimate.to_month, interval '1 month') as month
),

-- Months up to the last that has been told, so that the months ahead do not stand as unspent.
both_sides as (
    select * from executed
    union all
    select * from estimated
    where month_start <= (select max(told.month_start) from executed as told)
)

select
    both_sides.month_start,
    both_sides.place_key,
    both_sides.level_code,
    both_sides.chapter_code,
    both_sides.item_code,
    item.flow,
    cast(sum(both_sides.executed_vnd) as numeric(20, 2)) as executed_vnd,
    cast(sum(both_sides.estimate_vnd) as numeric(20, 2)) as estimate_vnd
from both_sides
inner join {{ ref('dim_budget_item') }} as item on both_sides.item_code = item.item_code
group by
    both_sides.month_start, both_sides.place_key, both_sides.level_code, both_sides.chapter_code,
    both_sides.item_code, item.flow
