select
    {{ pseudonym('certificate', 'serial_no') }} as certificate_key,
    subject as subject_kind,
    unit_code || '@' || agency_valid_from as agency_key,
    valid_from,
    valid_to,
    revoked_on,
    -- The last day on which a signature made with it stands: it is revoked for the whole of the day.
    least(valid_to, revoked_on - 1) as in_force_until
from {{ ref('stg_signatures__certificate') }}
