select
    right_id,
    parcel_id,
    holder_type,
    -- The number of an enterprise is public.
    case when holder_type = 'TC' then other_id end as enterprise_code,
    certificate_no is not null as has_certificate,
    certificate_class,
    issued_on,
    updated_at
from {{ ref('base_land__land_right') }}
where not _refused
