{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='parcel_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

with rights as (
    select
        parcel_id,
        count(*) as holders,
        bool_or(has_certificate) as has_certificate,
        bool_or(holder_type = 'TC') as is_held_by_organisation
    from {{ ref('stg_land__land_right') }}
    where true{{ in_scope('parcel_id') }}
    group by parcel_id
),

-- One number for several parcels: they came from communes that were merged before their sheets were numbered anew.
shared_numbers as (
    select
        numbering_commune_key,
        sheet_no,
        parcel_no,
        count(*) as parcels
    from {{ ref('int_land__parcel') }}
    where is_in_force
    group by numbering_commune_key, sheet_no, parcel_no
    having count(*) > 1
)

select
    {{ parcel_key('parcel.parcel_id') }} as parcel_key,
    parcel.commune_key,
    parcel.present_key as present_commune_key,
    parcel.present_method,
    parcel.numbering_commune_key,
    parcel.sheet_no,
    parcel.parcel_no,
    case
        when not parcel.is_in_force then 0
        else cast(coalesce(shared_numbers.parcels, 1) as integer)
    end as parcels_of_this_number,
    cast(parcel.area_m2 as numeric(16, 2)) as area_m2,
    cast(parcel.legal_area_m2 as numeric(16, 2)) as legal_area_m2,
    cast(parcel.boundary_area_m2 as numeric(16, 2)) as boundary_area_m2,
    -- A hundredth of a degree is about a kilometre: enough for a map of the province, not for a house.
    cast(parcel.longitude as numeric(5, 2)) as longitude,
    cast(parcel.latitude as numeric(4, 2)) as latitude,
    cast(coalesce(rights.holders, 0) as integer) as holders,
    coalesce(rights.has_certificate, false) as has_certificate,
    coalesce(rights.is_held_by_organisation, false) as is_held_by_organisation,
    parcel.is_in_force,
    parcel.created_on,
    parcel.ended_on
from {{ ref('int_land__parcel') }} as parcel
left join rights on parcel.parcel_id = rights.parcel_id
left join shared_numbers
    on
        parcel.numbering_commune_key = shared_numbers.numbering_commune_key
        and parcel.sheet_no = shared_numbers.sheet_no and parcel.parcel_no = shared_numbers.parcel_no
where true{{ in_scope('parcel.parcel_id') }}
