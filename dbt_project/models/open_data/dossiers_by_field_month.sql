with counted as (
    select
        month.month_start,
        agency.level_code,
        month.field_code,
        sum(month.received) as received,
        sum(month.received_online) as received_online,
        sum(month.settled) as settled,
        sum(month.settled_on_time) as settled_on_time,
        {{ dossier_draws('month') }}
    from {{ ref('fct_dossier_month') }} as month
    inner join {{ ref('dim_agency') }} as agency on month.agency_key = agency.agency_key
    where month.received > 0 or month.settled > 0
    group by month.month_start, agency.level_code, month.field_code
),

protected as (
    {{ dossier_counts_protected() }}
),

fields as (
    select
        field_code,
        max(field_name) as field_name
    from {{ ref('dim_procedure') }}
    group by field_code
)

select
    protected.month_start,
    protected.level_code,
    protected.field_code,
    fields.field_name,
    {{ dossier_measures() }}
from protected
inner join fields on protected.field_code = fields.field_code
