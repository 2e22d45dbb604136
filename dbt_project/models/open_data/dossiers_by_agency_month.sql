-- An agency code may carry several names over time (SCD2); the name is the latest one of the month's dossiers.
with counted as (
    select
        month.month_start,
        agency.agency_code,
        max(agency.agency_key) as agency_key,
        month.field_code,
        sum(month.received) as received,
        sum(month.received_online) as received_online,
        sum(month.settled) as settled,
        sum(month.settled_on_time) as settled_on_time
    from {{ ref('fct_dossier_month') }} as month
    inner join {{ ref('dim_agency') }} as agency on month.agency_key = agency.agency_key
    where month.received > 0 or month.settled > 0
    group by month.month_start, agency.agency_code, month.field_code
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
    counted.agency_code,
    agency.agency_name,
    agency.level_code,
    counted.field_code,
    fields.field_name,
    cast({{ publishable('counted.received') }} as integer) as received,
    {{ suppressed('counted.received') }} as received_suppressed,
    cast({{ publishable('counted.received_online') }} as integer) as received_online,
    {{ suppressed('counted.received_online') }} as received_online_suppressed,
    cast({{ publishable_share('counted.received_online', 'counted.received') }} as numeric(5, 2)) as online_share,
    cast({{ publishable('counted.settled') }} as integer) as settled,
    {{ suppressed('counted.settled') }} as settled_suppressed,
    cast({{ publishable('counted.settled_on_time') }} as integer) as settled_on_time,
    {{ suppressed('counted.settled_on_time') }} as settled_on_time_suppressed,
    cast({{ publishable_share('counted.settled_on_time', 'counted.settled') }} as numeric(5, 2)) as on_time_share
from counted
inner join {{ ref('dim_agency') }} as agency on counted.agency_key = agency.agency_key
inner join fields on counted.field_code = fields.field_code
