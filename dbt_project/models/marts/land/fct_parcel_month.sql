with {{ stock_by_month(ref('int_land__parcel_stay'), dimensions=[], measures=['parcels', 'area_m2']) }}

select
    {{ month_end('month_no') }} as month_end,
    commune_key,
    present_commune_key,
    cast(parcels as integer) as parcels,
    cast(area_m2 as numeric(20, 2)) as area_m2
from stock
where parcels <> 0
