-- When a dossier becomes overdue, in whose hands it is then, who takes it over while it is, and when it ends.
with overdue as (
    select
        dossier.dossier_code,
        dossier.agency_key,
        dossier.handling_agency_key,
        dossier.field_code,
        reading.is_strict,
        greatest(reading.last_day + 1, dossier.received_on) as since,
        dossier.settled_on
    from {{ ref('int_procedures__dossier') }} as dossier
    cross join lateral (
        values (false, dossier.due_on), (true, dossier.due_on_strict)
    ) as reading (is_strict, last_day)
    where
        dossier.is_received
        and dossier.received_on <= {{ as_of() }}
        and reading.last_day < least(coalesce(dossier.settled_on, 'infinity'), {{ as_of() }})
),

-- The last hand-over before that day.
holder as (
    select distinct on (overdue.dossier_code, overdue.is_strict)
        overdue.dossier_code,
        overdue.is_strict,
        hand_over.to_agency_key as agency_key
    from overdue
    inner join {{ ref('int_procedures__hand_over') }} as hand_over
        on overdue.dossier_code = hand_over.dossier_code and overdue.since > hand_over.handed_on
    order by overdue.dossier_code, overdue.is_strict, hand_over.hand_over_no desc
)

select
    coalesce(holder.agency_key, overdue.agency_key) as agency_key,
    overdue.field_code,
    overdue.is_strict,
    overdue.since as day,
    1 as delta
from overdue
left join holder on overdue.dossier_code = holder.dossier_code and overdue.is_strict = holder.is_strict

union all

select
    side.agency_key,
    overdue.field_code,
    overdue.is_strict,
    hand_over.handed_on as day,
    side.delta
from overdue
inner join {{ ref('int_procedures__hand_over') }} as hand_over
    on overdue.dossier_code = hand_over.dossier_code and overdue.since <= hand_over.handed_on
cross join lateral (
    values (hand_over.to_agency_key, 1), (hand_over.from_agency_key, -1)
) as side (agency_key, delta)
where hand_over.handed_on <= {{ as_of() }}

union all

select
    handling_agency_key as agency_key,
    field_code,
    is_strict,
    settled_on as day,
    -1 as delta
from overdue
where settled_on <= {{ as_of() }}
