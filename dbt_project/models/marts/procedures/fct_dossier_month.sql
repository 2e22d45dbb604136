-- Received by the agency at reception, settled by the one that settled it; between the two, what was handed over goes
-- out of one agency's books into another's on one day.
with received as (
    select
        agency_key,
        field_code,
        cast(date_trunc('month', received_on) as date) as month_start,
        count(*) as received,
        count(*) filter (where is_online) as received_online,
        count(*) filter (where is_online_strict) as received_online_strict
    from {{ ref('fct_dossier') }}
    where is_received and received_on <= {{ month_end(last_month()) }}
    group by agency_key, field_code, date_trunc('month', received_on)
),

settled as (
    select
        handling_agency_key as agency_key,
        field_code,
        cast(date_trunc('month', settled_on) as date) as month_start,
        count(*) as settled,
        count(*) filter (where is_on_time) as settled_on_time,
        count(*) filter (where is_on_time_strict) as settled_on_time_strict
    from {{ ref('fct_dossier') }}
    where is_settled and settled_on <= {{ month_end(last_month()) }}
    group by handling_agency_key, field_code, date_trunc('month', settled_on)
),

handed_over as (
    select
        side.agency_key,
        hand_over.field_code,
        cast(date_trunc('month', hand_over.handed_on) as date) as month_start,
        count(*) filter (where side.is_in) as handed_in,
        count(*) filter (where not side.is_in) as handed_out
    from {{ ref('int_procedures__hand_over') }} as hand_over
    cross join lateral (
        values (hand_over.to_agency_key, true), (hand_over.from_agency_key, false)
    ) as side (agency_key, is_in)
    where hand_over.handed_on <= {{ month_end(last_month()) }}
    group by side.agency_key, hand_over.field_code, date_trunc('month', hand_over.handed_on)
),

flows as (
    select
        coalesce(received.agency_key, settled.agency_key, handed_over.agency_key) as agency_key,
        coalesce(received.field_code, settled.field_code, handed_over.field_code) as field_code,
        coalesce(received.month_start, settled.month_start, handed_over.month_start) as month_start,
        coalesce(received.received, 0) as received,
        coalesce(received.received_online, 0) as received_online,
        coalesce(received.received_online_strict, 0) as received_online_strict,
        coalesce(handed_over.handed_in, 0) as handed_in,
        coalesce(handed_over.handed_out, 0) as handed_out,
        coalesce(settled.settled, 0) as settled,
        coalesce(settled.settled_on_time, 0) as settled_on_time,
        coalesce(settled.settled_on_time_strict, 0) as settled_on_time_strict
    from received
    full join settled
        on received.agency_key = settled.agency_key and received.field_code = settled.field_code
        and received.month_start = settled.month_start
    full join handed_over
        on coalesce(received.agency_key, settled.agency_key) = handed_over.agency_key
        and coalesce(received.field_code, settled.field_code) = handed_over.field_code
        and coalesce(received.month_start, settled.month_start) = handed_over.month_start
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
        coalesce(flows.received, 0) as received,
        coalesce(flows.received_online, 0) as received_online,
        coalesce(flows.received_online_strict, 0) as received_online_strict,
        coalesce(flows.handed_in, 0) as handed_in,
        coalesce(flows.handed_out, 0) as handed_out,
        coalesce(flows.settled, 0) as settled,
        coalesce(flows.settled_on_time, 0) as settled_on_time,
        coalesce(flows.settled_on_time_strict, 0) as settled_on_time_strict
    from spine
    left join flows
        on spine.agency_key = flows.agency_key and spine.field_code = flows.field_code
        and spine.month_start = flows.month_start
),

balanced as (
    select
        *,
        sum(received + handed_in - settled - handed_out)
            over (partition by agency_key, field_code order by month_start)
            as in_progress
    from counted
)

select
    agency_key,
    field_code,
    month_start,
    cast(in_progress - received - handed_in + settled + handed_out as integer) as carried_over,
    cast(received as integer) as received,
    cast(received_online as integer) as received_online,
    cast(received_online_strict as integer) as received_online_strict,
    cast(handed_in as integer) as handed_in,
    cast(handed_out as integer) as handed_out,
    cast(settled as integer) as settled,
    cast(settled_on_time as integer) as settled_on_time,
    cast(settled_on_time_strict as integer) as settled_on_time_strict,
    cast(in_progress as integer) as in_progress
from balanced
where
    in_progress - received - handed_in + settled + handed_out > 0
    or received > 0 or handed_in > 0 or handed_out > 0 or settled > 0
