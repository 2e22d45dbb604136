with {{ stock_by_month(ref('int_land__use_stay'), dimensions=['land_type'], measures=['uses', 'area_m2']) }}

select
    {{ month_end('month_no') }} as month_end,
    commune_key,
    present_commune_key,
    land_type,
    cast(uses as integer) as uses,
    cast(area_m2 as numeric(20, 2)) as area_m2
from stock
where uses <> 0
