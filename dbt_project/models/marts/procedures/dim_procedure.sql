select
    procedure.procedure_code,
    procedure.procedure_name,
    procedure.field_code,
    procedure.field_name,
    procedure.level_code,
    procedure.service_level,
    coalesce(service.is_online, false) as is_online,
    procedure.time_limit,
    procedure.time_unit,
    procedure.fee_vnd,
    procedure.needs_paper_result,
    procedure.decision_no,
    procedure.decided_on,
    procedure.published_on,
    procedure.basis_effective_on,
    split_part(procedure.successors, ';', 1) as replaced_by,
    coalesce(procedure.effective_from, '-infinity') <= {{ as_of() }}
    and coalesce(procedure.effective_to, 'infinity') >= {{ as_of() }} as is_in_force,
    procedure.effective_from,
    procedure.effective_to
from {{ ref('stg_procedures__procedure') }} as procedure
left join {{ ref('service_level') }} as service on procedure.service_level = service.service_level
