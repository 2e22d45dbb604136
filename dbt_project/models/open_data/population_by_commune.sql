with protected as (
    select
        stock.month_end,
        unit.unit_code as commune_code,
        unit.unit_name as commune_name,
        stock.sex,
        stock.age_band,
        {{ publishable('stock.residents', 'stock.residents_draw') }} as residents
    from {{ ref('fct_resident_month') }} as stock
    inner join {{ ref('dim_administrative_unit') }} as unit on stock.commune_key = unit.commune_key
    where
        stock.month_end >= date '{{ var("two_level_from") }}'
        and unit.is_present
        and stock.sex in ('male', 'female')
        and stock.age_band <> 'unknown'
)

select
    month_end,
    commune_code,
    commune_name,
    sex,
    age_band,
    residents,
    residents is null as residents_suppressed
from protected
