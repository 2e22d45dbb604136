with counted as (
    select
        month_start,
        event_type,
        cast(sum(registrations) as integer) as registrations,
        {{ cell_key('registrations_draw') }} as registrations_draw
    from {{ ref('fct_civil_registration_month') }}
    -- Whole months only: the running one is not over.
    where
        month_start >= date '{{ var("first_month") }}'
        and cast(month_start + interval '1 month - 1 day' as date) <= {{ as_of() }}
    group by month_start, event_type
),

protected as (
    select
        month_start,
        event_type,
        {{ publishable('registrations', 'registrations_draw') }} as registrations
    from counted
)

select
    month_start,
    event_type,
    cast(registrations as integer) as registrations,
    registrations is null as registrations_suppressed
from protected
