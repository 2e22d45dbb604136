{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='dossier_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

with hand_overs as (
    select
        dossier_code,
        max(handed_on) as handed_over_on
    from {{ ref('int_procedures__hand_over') }}
    where true{{ in_scope('dossier_code') }}
    group by dossier_code
),

supplements as (
    select
        dossier_code,
        min(asked_on) as supplement_asked_on,
        -- Only once every request has been answered.
        case when count(*) = count(answered_on) then max(answered_on) end as supplement_answered_on,
        sum(waiting_days) as waiting_days
    from {{ ref('int_procedures__supplement') }}
    where true{{ in_scope('dossier_code') }}
    group by dossier_code
)

select
    {{ dossier_key('dossier.dossier_code') }} as dossier_key,
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
    dossier.submitted_on,
    dossier.received_on,
    supplements.supplement_asked_on,
    supplements.supplement_answered_on,
    hand_overs.handed_over_on,
    dossier.due_on,
    dossier.settled_on,
    dossier.returned_on,
    dossier.supplement_count,
    cast(
        last_day.working_day_no - first_day.working_day_no - coalesce(supplements.waiting_days, 0) as integer
    ) as working_days_used,
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
left join supplements on dossier.dossier_code = supplements.dossier_code
left join {{ ref('int_calendar__day') }} as first_day on dossier.is_settled and dossier.received_on = first_day.day
left join {{ ref('int_calendar__day') }} as last_day on dossier.is_settled and dossier.settled_on = last_day.day
where true{{ in_scope('dossier.dossier_code') }}
