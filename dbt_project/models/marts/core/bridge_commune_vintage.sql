select
    vintage.vintage_key,
    unit.commune_key
from {{ ref('dim_commune_vintage') }} as vintage
inner join {{ ref('dim_administrative_unit') }} as unit
    on
        unit.level_code = 'XA'
        and vintage.province_code = unit.province_code
        and vintage.valid_from between unit.valid_from and coalesce(unit.valid_to, 'infinity')
