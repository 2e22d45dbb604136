with counted as (
    select
        month.month_start,
        agency.level_code,
        month.field_code,
        sum(month.received) as received,
        sum(month.received_online) as received_online,
        sum(month.settled) as settled,
        sum(month.settled_on_time) as settled_on_time
    from {{ ref('fct_dossier_month') }} as month
    inner join {{ ref('dim_agency') }} as agency on month.agency_key = agency.agency_key
    where month.received > 0 or month.settled > 0
    group by month.month_start, agency.level_code, month.field_code
),

fields as (
    select
        field_code,
        max(field_name) as field_name
    from {{ ref('dim_procedure') }}
    group by field_code
)

select
    counted.month_start,
    counted.level_code,
    counted.field_code,
    fields.field_name,
    {{ dossier_measures() }}
from counted
inner join fields on counted.field_code = fields.field_code
