select
    enterprise.tax_code,
    enterprise.enterprise_name,
    enterprise.activity,
    enterprise.commune_key,
    present.present_commune_key,
    unit.former_province,
    enterprise.listed_on,
    enterprise.ended_on,
    enterprise.employees
from {{ ref('stg_digital__enterprise') }} as enterprise
inner join {{ ref('dim_administrative_unit') }} as unit on enterprise.commune_key = unit.commune_key
inner join lateral (
    select bridge.present_commune_key
    from {{ ref('bridge_administrative_unit') }} as bridge
    where bridge.commune_key = enterprise.commune_key
    order by bridge.weight_population desc, bridge.present_commune_key
    limit 1
) as present on true
