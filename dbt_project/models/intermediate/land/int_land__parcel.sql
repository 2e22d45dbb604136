-- Parcels with the present commune: their own code where it is of the two-level list, otherwise along the path.
select
    parcel.parcel_id,
    parcel.commune_key,
    path.present_key,
    case when path.weight_population = 1 then 'whole' else path.method_population end as present_method,
    parcel.area_m2,
    parcel.legal_area_m2,
    parcel.is_in_force,
    cast(parcel.created_at as date) as created_on,
    cast(parcel.ended_at as date) as ended_on
from {{ ref('stg_land__parcel') }} as parcel
{{ join_path('parcel.commune_key', 'cast(null as text)', 'cast(parcel.parcel_id as text)') }}
