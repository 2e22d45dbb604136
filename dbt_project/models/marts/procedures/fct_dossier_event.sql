{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='dossier_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

-- depends_on: {{ ref('int_procedures__dossier') }}
-- What happened to a dossier, from the milestones and lists that the system delivers with it. The agency is the one
-- that had the dossier on that day.
with milestones as (
    select
        dossier.dossier_key,
        milestone.event_type,
        1 as event_no,
        milestone.agency_key,
        milestone.occurred_on
    from {{ ref('fct_dossier') }} as dossier
    cross join lateral (
        values
        ('filed', dossier.agency_key, dossier.submitted_on),
        ('received', dossier.agency_key, case when dossier.is_received then dossier.received_on end),
        (
            case dossier.status_code when '7' then 'withdrawn' when '8' then 'stopped' else 'handled' end,
            dossier.handling_agency_key,
            case when dossier.is_settled then dossier.settled_on end
        ),
        ('returned', dossier.handling_agency_key, case when dossier.is_settled then dossier.returned_on end)
    ) as milestone (event_type, agency_key, occurred_on)
    where milestone.occurred_on is not null{{ in_scope('dossier.dossier_key', 'key') }}
),

supplements as (
    select
        dossier.dossier_key,
        step.event_type,
        supplement.supplement_no as event_no,
        case
            when step.occurred_on >= dossier.handed_over_on then dossier.handling_agency_key
            else dossier.agency_key
        end as agency_key,
        step.occurred_on
    from {{ ref('int_procedures__supplement') }} as supplement
    inner join {{ ref('fct_dossier') }} as dossier
        on {{ dossier_key('supplement.dossier_code') }} = dossier.dossier_key
    cross join lateral (
        values
        ('supplement_asked', supplement.asked_on),
        ('supplement_answered', supplement.answered_on)
    ) as step (event_type, occurred_on)
    where step.occurred_on is not null{{ in_scope('supplement.dossier_code') }}
),

hand_overs as (
    select
        {{ dossier_key('dossier_code') }} as dossier_key,
        'taken_over' as event_type,
        hand_over_no as event_no,
        to_agency_key as agency_key,
        handed_on as occurred_on
    from {{ ref('int_procedures__hand_over') }}
    where true{{ in_scope('dossier_code') }}
)

select * from milestones
union all
select * from supplements
union all
select * from hand_overs
