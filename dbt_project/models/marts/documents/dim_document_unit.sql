select
    unit_code || '@' || established_on as agency_key,
    unit_code as agency_code,
    unit_name,
    unit_kind,
    established_on,
    joined_on,
    ended_on
from {{ ref('stg_documents__unit') }}
