select
    {{ pseudonym('account', 'account_id') }} as account_key,
    account_system,
    unit_code || '@' || agency_valid_from as agency_key,
    opened_on,
    first_used_on,
    closed_on
from {{ ref('stg_documents__account') }}
