-- Reports of 1022 by field over all agencies: a commune has a handful a month, and a text is never shown.
with months as (
    select
        petition.field_code,
        cell.month_start,
        count(*) filter (where cell.is_received) as received,
        {{ cell_key('case when cell.is_received then petition.petition_draw else 0 end') }} as received_draw,
        count(*) filter (where not cell.is_received) as answered,
        {{ cell_key('case when cell.is_received then 0 else petition.petition_draw end') }} as answered_draw,
        count(*) filter (where not cell.is_received and petition.is_on_time) as answered_on_time,
        {{ cell_key('case when not cell.is_received and petition.is_on_time then petition.petition_draw else 0 end') }}
            as answered_on_time_draw
    from {{ ref('fct_petition') }} as petition
    cross join lateral (
        values
        (cast(date_trunc('month', petition.received_on) as date), true),
        (
            case
                when petition.is_on_time is not null then cast(date_trunc('month', petition.answered_on) as date)
            end, false
        )
    ) as cell (month_start, is_received)
    where
        cell.month_start between date '{{ var("first_month") }}' and {{ month_start(last_month()) }}
    group by petition.field_code, cell.month_start
),

protected as (
    select
        *,
        {{ publishable('received', 'received_draw') }} as received_shown,
        {{ publishable('answered', 'answered_draw') }} as answered_shown,
        {{ publishable('answered_on_time', 'answered_on_time_draw') }} as on_time_shown
    from months
),

-- A part carries noise of its own: it is not larger than its whole, and of a withheld whole none is shown.
bounded as (
    select
        *,
        case
            when answered_shown is not null and on_time_shown is not null then least(on_time_shown, answered_shown)
        end as on_time_bounded
    from protected
),

fields as (
    select distinct
        field_code,
        field_name
    from {{ ref('dim_petition_category') }}
)

select
    bounded.month_start,
    bounded.field_code,
    fields.field_name,
    cast(bounded.received_shown as integer) as received,
    bounded.received_shown is null as received_suppressed,
    cast(bounded.answered_shown as integer) as answered,
    bounded.answered_shown is null as answered_suppressed,
    cast(bounded.on_time_bounded as integer) as answered_on_time,
    bounded.on_time_bounded is null as answered_on_time_suppressed,
    cast({{ rate('bounded.on_time_bounded', 'bounded.answered_shown') }} as numeric(5, 2)) as on_time_share
from bounded
inner join fields on bounded.field_code = fields.field_code
