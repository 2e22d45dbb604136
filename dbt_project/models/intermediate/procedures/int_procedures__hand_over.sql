-- Dossiers that changed hands. Where the agency at reception ended, the way that its work took says who had the dossier
-- and when. Any other change has no day in the source: it counts at reception, or from the day on which the agency
-- ended.
with moved as (
    select
        dossier.dossier_code,
        dossier.field_code,
        dossier.agency_key,
        dossier.handling_agency_key,
        dossier.received_on,
        coalesce(dossier.settled_on, {{ as_of() }}) as last_day
    from {{ ref('int_procedures__dossier') }} as dossier
    where dossier.is_received and dossier.agency_key <> dossier.handling_agency_key
),

agencies as (
    select
        agency_code || '@' || valid_from as agency_key,
        valid_to
    from {{ ref('stg_procedures__agency') }}
)

select
    moved.dossier_code,
    moved.field_code,
    coalesce(path.step_no, 1) as hand_over_no,
    coalesce(path.from_agency_key, moved.agency_key) as from_agency_key,
    coalesce(path.to_agency_key, moved.handling_agency_key) as to_agency_key,
    coalesce(
        path.handed_on,
        case when agencies.valid_to < moved.last_day then agencies.valid_to + 1 end,
        moved.received_on
    ) as handed_on,
    path.origin_key is not null as is_succession
from moved
inner join agencies on moved.agency_key = agencies.agency_key
left join {{ ref('int_agency__path') }} as path
    on
        moved.agency_key = path.origin_key
        and moved.handling_agency_key = path.target_key
        and moved.last_day >= path.complete_on
