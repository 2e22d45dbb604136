-- By agency over all fields: agency × field × month would leave nine cells in ten below the threshold.
with counted as (
    select
        month.month_start,
        agency.agency_code,
        -- An agency may change its name within a month: the latest one stands.
        max(agency.agency_key) as agency_key,
        sum(month.received) as received,
        sum(month.received_online) as received_online,
        sum(month.settled) as settled,
        sum(month.settled_on_time) as settled_on_time,
        {{ dossier_draws('month') }}
    from {{ ref('fct_dossier_month') }} as month
    inner join {{ ref('dim_agency') }} as agency on month.agency_key = agency.agency_key
    where month.received > 0 or month.settled > 0
    group by month.month_start, agency.agency_code
),

protected as (
    {{ dossier_counts_protected() }}
)

select
    protected.month_start,
    protected.agency_code,
    agency.agency_name,
    agency.level_code,
    {{ dossier_measures() }}
from protected
inner join {{ ref('dim_agency') }} as agency on protected.agency_key = agency.agency_key
