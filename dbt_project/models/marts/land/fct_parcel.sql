with rights as (
    select
        parcel_id,
        count(*) as holders,
        bool_or(has_certificate) as has_certificate,
        bool_or(holder_type = 'TC') as is_held_by_organisation
    from {{ ref('stg_land__land_right') }}
    group by parcel_id
)

select
    cast(md5('parcel ' || parcel.parcel_id) as uuid) as parcel_key,
    parcel.commune_key,
    parcel.present_key as present_commune_key,
    parcel.present_method,
    parcel.area_m2,
    parcel.legal_area_m2,
    cast(coalesce(rights.holders, 0) as integer) as holders,
    coalesce(rights.has_certificate, false) as has_certificate,
    coalesce(rights.is_held_by_organisation, false) as is_held_by_organisation,
    parcel.is_in_force,
    parcel.created_on,
    parcel.ended_on
from {{ ref('int_land__parcel') }} as parcel
left join rights on parcel.parcel_id = rights.parcel_id
