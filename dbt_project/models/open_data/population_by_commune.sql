select
    stock.month_end,
    unit.unit_code as commune_code,
    unit.unit_name as commune_name,
    stock.sex,
    stock.age_band,
    {{ publishable('stock.residents') }} as residents,
    {{ suppressed('stock.residents') }} as residents_suppressed
from {{ ref('fct_resident_month') }} as stock
inner join {{ ref('dim_administrative_unit') }} as unit on stock.commune_key = unit.commune_key
where
    stock.month_end >= date '{{ var("two_level_from") }}'
    and unit.is_present
    and stock.sex in ('male', 'female')
    and stock.age_band <> 'unknown'
