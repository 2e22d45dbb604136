select
    unit_code,
    level_code,
    valid_from,
    valid_to,
    unit_name,
    unit_type,
    parent_code,
    parent_name,
    province_code,
    is_present,
    latitude,
    longitude,
    legal_basis
from {{ ref('dim_administrative_unit') }}
