select
    use_id,
    parcel_id,
    use_no,
    land_type,
    origin_code,
    area_m2,
    term_until,
    updated_at
from {{ ref('base_land__parcel_use') }}
where not _refused
