select
    certificate_key,
    agency_key,
    subject_kind,
    valid_from,
    in_force_until
from {{ ref('fct_signature_certificate') }}
where {{ as_of() }} between valid_from and in_force_until
