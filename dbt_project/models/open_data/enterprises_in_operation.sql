select
    unit.unit_code as commune_code,
    unit.unit_name as commune_name,
    stock.section,
    industry.name_vi as section_name,
    stock.month_end,
    cast(sum(stock.enterprises) as integer) as enterprises
from {{ ref('fct_enterprise_stock_month') }} as stock
inner join {{ ref('dim_administrative_unit') }} as unit on stock.commune_key = unit.commune_key
inner join {{ ref('dim_industry') }} as industry on stock.section = industry.section
where
    stock.state = 'operating'
    and stock.month_end = (select max(latest.month_end) from {{ ref('fct_enterprise_stock_month') }} as latest)
group by unit.unit_code, unit.unit_name, stock.section, industry.name_vi, stock.month_end
