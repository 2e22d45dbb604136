select
    dossier_code,
    procedure_code,
    agency_code,
    reception_agency_code,
    reception_agency_valid_from,
    channel_code,
    applicant_type,
    status_code,
    is_digitised,
    has_electronic_result,
    has_vneid_account,
    online_payment,
    fees,
    supplements,
    submitted_at,
    received_at,
    due_at,
    finished_at,
    returned_at,
    updated_at
from {{ ref('base_procedures__dossier') }}
where not _refused
