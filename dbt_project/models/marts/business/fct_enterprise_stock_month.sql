with stays as (
    select
        *,
        1 as enterprises
    from {{ ref('int_business__stay') }}
    where state <> 'closed'
),

{{ stock_by_month('stays', dimensions=['section', 'legal_form', 'state'], measures=['enterprises']) }}

select
    {{ month_end('month_no') }} as month_end,
    commune_key,
    present_commune_key,
    section,
    legal_form,
    state,
    cast(enterprises as integer) as enterprises
from stock
where enterprises <> 0
