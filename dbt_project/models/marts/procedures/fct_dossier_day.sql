-- The one place where dossiers are counted. Months, metrics and published tables add up these rows; any period of any
-- agency or field is a sum of days.
with dossiers as (
    select
        dossier.*,
        procedure.time_unit,
        procedure.needs_paper_result,
        -- 9 and 10: a result is there; who withdrew (7) or was stopped (8) waits for none.
        dossier.status_code in ('9', '10') as has_result,
        {{ record_draw('dossier', 'dossier.dossier_code') }} as draw
    from {{ ref('int_procedures__dossier') }} as dossier
    inner join {{ ref('dim_procedure') }} as procedure on dossier.procedure_code = procedure.procedure_code
    where dossier.is_received and dossier.received_on <= {{ as_of() }}
),

received as (
    select
        agency_key,
        field_code,
        received_on as day,
        count(*) as received,
        count(*) filter (where is_online) as received_online,
        count(*) filter (where is_online_strict) as received_online_strict,
        count(*) filter (where is_digitised) as digitised,
        count(*) filter (where is_digitised_strict) as digitised_strict,
        count(*) filter (where has_digitised_component) as with_digitised_component,
        count(*) filter (where has_reused_component) as with_reused_component,
        count(*) filter (where is_shared) as shared,
        count(*) filter (where uses_population_data) as with_population_data,
        count(*) filter (where owes_fee) as owing_fee,
        count(*) filter (where owes_fee and is_paid_online) as paid_online,
        count(*) filter (where has_result) as with_result,
        count(*) filter (where has_result and has_electronic_result) as with_electronic_result,
        count(*) filter (where has_result and needs_paper_result) as with_paper_result,
        count(*) filter (where has_result and needs_paper_result and has_electronic_result)
            as with_paper_and_electronic_result,
        {{ cell_key('draw') }} as received_draw,
        {{ cell_key('draw * cast(is_online as integer)') }} as received_online_draw
    from dossiers
    group by agency_key, field_code, received_on
),

-- Time from reception to the end, in the unit of the procedure's own limit (2.2).
handled as (
    select
        dossiers.agency_key,
        dossiers.field_code,
        dossiers.received_on as day,
        count(*) filter (where dossiers.time_unit = 'NLV') as handled_in_working_days,
        sum(last_day.working_day_no - first_day.working_day_no) filter (where dossiers.time_unit = 'NLV')
            as working_days,
        count(*) filter (where dossiers.time_unit = 'N') as handled_in_days,
        sum(dossiers.settled_on - dossiers.received_on) filter (where dossiers.time_unit = 'N') as calendar_days,
        count(*) filter (where dossiers.time_unit = 'G') as handled_in_hours,
        sum(cast(dossiers.handling_hours as numeric(12, 1))) filter (where dossiers.time_unit = 'G') as hours
    from dossiers
    inner join {{ ref('int_calendar__day') }} as first_day on dossiers.received_on = first_day.day
    inner join {{ ref('int_calendar__day') }} as last_day on dossiers.settled_on = last_day.day
    where dossiers.has_result and dossiers.handling_hours is not null
    group by dossiers.agency_key, dossiers.field_code, dossiers.received_on
),

settled as (
    select
        handling_agency_key as agency_key,
        field_code,
        settled_on as day,
        count(*) as settled,
        count(*) filter (where is_on_time and settled_on < due_on) as settled_early,
        count(*) filter (where is_on_time) as settled_on_time,
        count(*) filter (where is_on_time_strict) as settled_on_time_strict,
        {{ cell_key('draw') }} as settled_draw,
        {{ cell_key('draw * cast(is_on_time as integer)') }} as settled_on_time_draw
    from dossiers
    where is_settled and settled_on <= {{ as_of() }}
    group by handling_agency_key, field_code, settled_on
),

handed_over as (
    select
        side.agency_key,
        hand_over.field_code,
        hand_over.handed_on as day,
        count(*) filter (where side.is_in) as handed_in,
        count(*) filter (where not side.is_in) as handed_out
    from {{ ref('int_procedures__hand_over') }} as hand_over
    cross join lateral (
        values (hand_over.to_agency_key, true), (hand_over.from_agency_key, false)
    ) as side (agency_key, is_in)
    where hand_over.handed_on <= {{ as_of() }}
    group by side.agency_key, hand_over.field_code, hand_over.handed_on
),

overdue as (
    select
        agency_key,
        field_code,
        day,
        sum(delta) filter (where not is_strict) as overdue_change,
        sum(delta) filter (where is_strict) as overdue_change_strict
    from {{ ref('int_procedures__overdue') }}
    group by agency_key, field_code, day
),

days as (
    select
agency_key,
field_code,
day
from received
    union distinct
    select
agency_key,
field_code,
day
from settled
    union distinct
    select
agency_key,
field_code,
day
from handed_over
    union distinct
    select
agency_key,
field_code,
day
from overdue
)

select
    days.agency_key,
    days.field_code,
    days.day,
    {%- for part, columns in [
        ('received', [
            'received', 'received_online', 'received_online_strict', 'digitised', 'digitised_strict',
            'with_digitised_component', 'with_reused_component', 'shared', 'with_population_data', 'owing_fee',
            'paid_online', 'with_result', 'with_electronic_result', 'with_paper_result',
            'with_paper_and_electronic_result',
        ]),
        ('handled', [
            'handled_in_working_days', 'working_days', 'handled_in_days', 'calendar_days', 'handled_in_hours',
        ]),
        ('settled', ['settled', 'settled_early', 'settled_on_time', 'settled_on_time_strict']),
        ('handed_over', ['handed_in', 'handed_out']),
        ('overdue', ['overdue_change', 'overdue_change_strict']),
    ] %}
    {%- for column in columns %}
    cast(coalesce({{ part }}.{{ column }}, 0) as integer) as {{ column }},
    {%- endfor %}
    {%- endfor %}
    cast(coalesce(handled.hours, 0) as numeric(12, 1)) as hours,
    coalesce(received.received_draw, 0) as received_draw,
    coalesce(received.received_online_draw, 0) as received_online_draw,
    coalesce(settled.settled_draw, 0) as settled_draw,
    coalesce(settled.settled_on_time_draw, 0) as settled_on_time_draw
from days
{%- for part in ['received', 'handled', 'settled', 'handed_over', 'overdue'] %}
left join {{ part }}
    on
        days.agency_key = {{ part }}.agency_key
        and days.field_code = {{ part }}.field_code
        and days.day = {{ part }}.day
{%- endfor %}
