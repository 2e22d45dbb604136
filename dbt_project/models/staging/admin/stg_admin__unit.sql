select
    unit_code,
    level_code,
    unit_name,
    unit_type,
    parent_code,
    province_code,
    latitude,
    longitude,
    legal_basis,
    valid_from,
    coalesce(valid_to, 'infinity') as valid_to
from {{ ref('base_admin__unit') }}
where not _refused
