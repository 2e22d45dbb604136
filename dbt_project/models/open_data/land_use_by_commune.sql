select
    unit.unit_code as commune_code,
    unit.unit_name as commune_name,
    use.land_type,
    type.name_vi as land_type_name,
    type.land_group,
    cast(sum(use.area_m2) / 10000 as numeric(14, 4)) as area_ha,
    cast(count(distinct use.parcel_key) as integer) as parcels
from {{ ref('fct_parcel_use') }} as use
inner join {{ ref('dim_administrative_unit') }} as unit on use.present_commune_key = unit.commune_key
inner join {{ ref('dim_land_use') }} as type on use.land_type = type.land_type
where use.is_in_force
group by unit.unit_code, unit.unit_name, use.land_type, type.name_vi, type.land_group
