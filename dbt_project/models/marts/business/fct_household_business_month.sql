with {{ stock_by_month(
    ref('int_business__household_stay'), dimensions=['section'], measures=['household_businesses']
) }}

select
    {{ month_end('month_no') }} as month_end,
    commune_key,
    present_commune_key,
    section,
    cast(household_businesses as integer) as household_businesses
from stock
where household_businesses <> 0
