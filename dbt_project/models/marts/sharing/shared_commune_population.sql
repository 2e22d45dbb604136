select
    agency.agency_key,
    stock.commune_key,
    stock.month_end,
    stock.sex,
    stock.age_band,
    stock.residents
from {{ ref('fct_resident_month') }} as stock
inner join {{ ref('dim_agency') }} as agency
    on stock.commune_key = agency.commune_key and agency.level_code = 'XA' and agency.is_present
where stock.month_end = (select max(latest.month_end) from {{ ref('fct_resident_month') }} as latest)
