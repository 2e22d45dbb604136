select
    account_id,
    account_system,
    unit_code,
    agency_valid_from,
    opened_on,
    first_used_on,
    closed_on
from {{ ref('base_documents__account') }}
where not _refused
