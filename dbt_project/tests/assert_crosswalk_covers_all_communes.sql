-- Every commune of every vintage has a present one, and every present one exists. If this fails, facts of the commune
-- drop out of every restated table.
select unit.commune_key
from {{ ref('dim_administrative_unit') }} as unit
left join {{ ref('bridge_administrative_unit') }} as bridge on unit.commune_key = bridge.commune_key
left join {{ ref('dim_administrative_unit') }} as present on bridge.present_commune_key = present.commune_key
where unit.level_code = 'XA' and (present.commune_key is null or not present.is_present)
