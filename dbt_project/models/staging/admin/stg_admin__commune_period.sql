{{ config(materialized='table') }}

-- What a commune code meant on any day. Codes are reused, so the day decides; outside the code's own validity the
-- nearest version stands in, and is_exact is false: somebody used a code of another vintage.
with communes as (
    select
        unit_code,
        unit_code || '@' || valid_from as commune_key,
        valid_from,
        valid_to,
        lag(valid_to) over same_code as earlier_until,
        lead(valid_from) over same_code as later_from
    from {{ ref('stg_admin__unit') }}
    where level_code = 'XA'
    window same_code as (partition by unit_code order by valid_from)
)

select
    unit_code as commune_code,
    commune_key,
    valid_from,
    case when earlier_until is null then date '-infinity' else valid_from end as period_from,
    valid_to as period_to,
    true as is_exact
from communes

union all

select
    unit_code as commune_code,
    commune_key,
    valid_from,
    cast(valid_to + 1 as date) as period_from,
    coalesce(later_from - 1, date 'infinity') as period_to,
    false as is_exact
from communes
where valid_to < 'infinity' and coalesce(later_from > valid_to + 1, true)
