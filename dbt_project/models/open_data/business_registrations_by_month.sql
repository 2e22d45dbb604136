select
    month_start,
    event_type,
    legal_form,
    cast(count(*) as integer) as events
from {{ ref('fct_enterprise_event') }}
where month_start between date '{{ var("first_month") }}' and {{ month_start(last_month()) }}
group by month_start, event_type, legal_form
