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
        agency_key,
        field_code,
        cast(date_trunc('month', settled_on) as date) as month_start,
        count(*) as settled,
        count(*) filter (where is_on_time) as settled_on_time,
        count(*) filter (where is_on_time_strict) as settled_on_time_strict
    from {{ ref('fct_dossier') }}
    where is_settled and settled_on <= {{ month_end(last_month()) }}
    group by agency_key, field_code, date_trunc('month', settled_on)
),

-- Every month from the first reception on, so that what is in progress is carried through quiet months.
cells as (
    select
        agency_key,
        field_code,
        min(month_start) as first_month
    from received
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
        coalesce(received.received, 0) as received,
        coalesce(received.received_online, 0) as received_online,
        coalesce(received.received_online_strict, 0) as received_online_strict,
        coalesce(settled.settled, 0) as settled,
        coalesce(settled.settled_on_time, 0) as settled_on_time,
        coalesce(settled.settled_on_time_strict, 0) as settled_on_time_strict
    from spine
    left join received
        on spine.agency_key = received.agency_key and spine.field_code = received.field_code
        and spine.month_start = received.month_start
    left join settled
        on spine.agency_key = settled.agency_key and spine.field_code = settled.field_code
        and spine.month_start = settled.month_start
),

balanced as (
    select
        *,
        sum(received - settled) over (partition by agency_key, field_code order by month_start) as in_progress
    from counted
)

select
    agency_key,
    field_code,
    month_start,
    cast(in_progress - received + settled as integer) as carried_over,
    cast(received as integer) as received,
    cast(received_online as integer) as received_online,
    cast(received_online_strict as integer) as received_online_strict,
    cast(settled as integer) as settled,
    cast(settled_on_time as integer) as settled_on_time,
    cast(settled_on_time_strict as integer) as settled_on_time_strict,
    cast(in_progress as integer) as in_progress
from balanced
where in_progress - received + settled > 0 or received > 0 or settled > 0
