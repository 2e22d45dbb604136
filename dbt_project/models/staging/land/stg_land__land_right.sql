select
    right_id,
    parcel_id,
    holder_type,
    enterprise_code,
    certificate_no is not null as has_certificate,
    certificate_class,
    issued_on,
    updated_at
from {{ ref('base_land__land_right') }}
where not _refused
