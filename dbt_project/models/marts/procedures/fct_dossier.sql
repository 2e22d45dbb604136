with hand_overs as (
    select
        dossier_code,
        max(handed_on) as handed_over_on
    from {{ ref('int_procedures__hand_over') }}
    group by dossier_code
)

select
    cast(md5('dossier ' || dossier.dossier_code) as uuid) as dossier_key,
    dossier.procedure_code,
    dossier.field_code,
    dossier.agency_key,
    dossier.handling_agency_key,
    dossier.channel_code,
    dossier.applicant_type,
    applicant.person_key,
    dossier.status_code,
    dossier.is_received,
    dossier.is_settled,
    dossier.received_on,
    hand_overs.handed_over_on,
    dossier.due_on,
    dossier.settled_on,
    dossier.returned_on,
    dossier.supplement_count,
    cast(dossier.handling_hours as numeric(10, 1)) as handling_hours,
    dossier.is_online,
    dossier.is_online_strict,
    dossier.is_on_time,
    dossier.is_on_time_strict,
    dossier.is_digitised,
    dossier.has_electronic_result,
    dossier.has_vneid_account,
    coalesce(dossier.is_paid_online, false) as is_paid_online,
    dossier.is_digitised_strict,
    dossier.has_digitised_component,
    dossier.has_reused_component,
    dossier.is_shared,
    dossier.uses_population_data,
    dossier.has_fee_told,
    dossier.owes_fee
from {{ ref('int_procedures__dossier') }} as dossier
left join hand_overs on dossier.dossier_code = hand_overs.dossier_code
left join {{ ref('int_person__link') }} as applicant
    on applicant.register = 'dossier' and dossier.dossier_code = applicant.record_key
