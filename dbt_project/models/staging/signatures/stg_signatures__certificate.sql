select
    serial_no,
    subject,
    unit_code,
    agency_valid_from,
    valid_from,
    valid_to,
    revoked_on
from {{ ref('base_signatures__certificate') }}
where not _refused
