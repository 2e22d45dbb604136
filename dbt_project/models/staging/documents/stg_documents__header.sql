select
    document_id,
    agency_code,
    agency_valid_from,
    document_type,
    form,
    signature,
    promulgated_on
from {{ ref('base_documents__header') }}
where not _refused
