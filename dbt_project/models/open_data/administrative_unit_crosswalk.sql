select
    old_unit.unit_code as old_code,
    old_unit.valid_from as old_valid_from,
    old_unit.unit_name as old_name,
    old_unit.parent_name as old_district_name,
    old_unit.valid_to as old_valid_to,
    new_unit.unit_code as new_code,
    new_unit.unit_name as new_name,
    cast(bridge.weight_population as numeric(7, 6)) as weight_population,
    bridge.method_population,
    cast(bridge.weight_area as numeric(7, 6)) as weight_area,
    bridge.method_area
from {{ ref('bridge_administrative_unit') }} as bridge
inner join {{ ref('dim_administrative_unit') }} as old_unit on bridge.commune_key = old_unit.commune_key
inner join {{ ref('dim_administrative_unit') }} as new_unit on bridge.present_commune_key = new_unit.commune_key
where bridge.commune_key <> bridge.present_commune_key
