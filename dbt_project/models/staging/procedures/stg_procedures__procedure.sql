select
    procedure_code,
    procedure_name,
    field_code,
    field_name,
    level_code,
    service_level,
    time_limit,
    time_unit,
    fee_vnd,
    needs_paper_result,
    decision_no,
    decided_on,
    published_on,
    basis_effective_on,
    effective_from,
    effective_to,
    successors
from {{ ref('base_procedures__procedure') }}
where not _refused
