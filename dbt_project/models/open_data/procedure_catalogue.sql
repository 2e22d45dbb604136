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
    effective_from
from {{ ref('dim_procedure') }}
where is_in_force
