-- Which months count towards a period. sum: those in it; running: all up to its end; last: its last one.
with months as (
    select cast(month as date) as month_start
    from generate_series(
        date '{{ var("first_month") }}', {{ month_start(last_month()) }}, interval '1 month'
    ) as month
),

kinds as (
    select
        kind.period_kind,
        kind.length
    from (
        values ('month', interval '1 month'), ('quarter', interval '3 months'), ('year', interval '1 year')
    ) as kind (period_kind, length)
),

-- Whole periods of the series only: half a year is not a year.
periods as (
    select distinct
        kinds.period_kind,
        cast(date_trunc(kinds.period_kind, months.month_start) as date) as period_start,
        cast(date_trunc(kinds.period_kind, months.month_start) + kinds.length - interval '1 day' as date) as period_end
    from months
    cross join kinds
    where
        date_trunc(kinds.period_kind, months.month_start) >= date '{{ var("first_month") }}'
        and date_trunc(kinds.period_kind, months.month_start) + kinds.length - interval '1 day'
        <= {{ month_end(last_month()) }}
),

-- What had happened before the first month counts for what runs on.
history as (
    select month_start from months
    union all
    select cast('-infinity' as date) as month_start
)

select
    periods.period_kind,
    periods.period_start,
    periods.period_end,
    accrual.accrual,
    history.month_start
from periods
cross join (values ('sum'), ('running'), ('last')) as accrual (accrual)
inner join history
    on
        periods.period_end >= history.month_start
        and case accrual.accrual
            when 'sum' then periods.period_start <= history.month_start
            when 'last' then history.month_start >= date_trunc('month', periods.period_end)
            else true
        end
