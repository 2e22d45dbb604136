select
    agency.former_province,
    dossier.procedure_code,
    dossier.received_on as day,
    bool_or(dossier.is_online) as is_filed_online,
    bool_or(dossier.owes_fee and dossier.is_paid_online) as is_paid_online,
    bool_or(dossier.has_fee_told) as is_fee_told,
    bool_or(dossier.uses_population_data) as is_with_population_data
from {{ ref('fct_dossier') }} as dossier
inner join {{ ref('dim_agency') }} as agency on dossier.agency_key = agency.agency_key
where dossier.is_received and dossier.received_on <= {{ as_of() }}
group by agency.former_province, dossier.procedure_code, dossier.received_on
