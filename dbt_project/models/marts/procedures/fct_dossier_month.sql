-- Received by the agency at reception, settled by the one that settled it; between the two, what was handed over goes
-- out of one agency's books into another's on one day.
{%- set flows = [
    'received', 'received_online', 'received_online_strict', 'handed_in', 'handed_out', 'settled', 'settled_early',
    'settled_on_time', 'settled_on_time_strict', 'overdue_change',
] %}
{%- set noisy = ['received', 'received_online', 'settled', 'settled_on_time'] %}
with flows as (
    select
        agency_key,
        field_code,
        cast(date_trunc('month', day) as date) as month_start,
        {%- for column in flows %}
        sum({{ column }}) as {{ column }},
        {%- endfor %}
        {%- for column in noisy %}
        {{ cell_key(column ~ '_draw') }} as {{ column }}_draw{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('fct_dossier_day') }}
    where day <= {{ month_end(last_month()) }}
    group by agency_key, field_code, date_trunc('month', day)
),

-- Every month from the first on, so that what is in progress is carried through quiet months.
cells as (
    select
        agency_key,
        field_code,
        min(month_start) as first_month
    from flows
    group by agency_key, field_code
),

spine as (
    select
        cells.agency_key,
        cells.field_code,
        cast(month as date) as month_start
    from cells
    cross join lateral generate_series(cells.first_month, {{ month_start(last_month()) }}, interval '1 month') as month
),

counted as (
    select
        spine.agency_key,
        spine.field_code,
        spine.month_start,
        {%- for column in flows %}
        coalesce(flows.{{ column }}, 0) as {{ column }},
        {%- endfor %}
        {%- for column in noisy %}
        coalesce(flows.{{ column }}_draw, 0) as {{ column }}_draw{{ ',' if not loop.last }}
        {%- endfor %}
    from spine
    left join flows
        on spine.agency_key = flows.agency_key and spine.field_code = flows.field_code
        and spine.month_start = flows.month_start
),

balanced as (
    select
        *,
        sum(received + handed_in - settled - handed_out) over by_month as in_progress,
        sum(overdue_change) over by_month as in_progress_overdue
    from counted
    window by_month as (partition by agency_key, field_code order by month_start)
)

select
    agency_key,
    field_code,
    month_start,
    cast(in_progress - received - handed_in + settled + handed_out as integer) as carried_over,
    cast(received as integer) as received,
    cast(received_online as integer) as received_online,
    cast(received_online_strict as integer) as received_online_strict,
    cast(received - received_online as integer) as received_otherwise,
    cast(handed_in as integer) as handed_in,
    cast(handed_out as integer) as handed_out,
    cast(settled as integer) as settled,
    cast(settled_early as integer) as settled_early,
    cast(settled_on_time - settled_early as integer) as settled_on_due_day,
    cast(settled - settled_on_time as integer) as settled_late,
    cast(settled_on_time as integer) as settled_on_time,
    cast(settled_on_time_strict as integer) as settled_on_time_strict,
    cast(in_progress as integer) as in_progress,
    cast(in_progress - in_progress_overdue as integer) as in_progress_in_time,
    cast(in_progress_overdue as integer) as in_progress_overdue,
    received_draw,
    received_online_draw,
    settled_draw,
    settled_on_time_draw
from balanced
where
    in_progress - received - handed_in + settled + handed_out > 0
    or received > 0 or handed_in > 0 or handed_out > 0 or settled > 0
