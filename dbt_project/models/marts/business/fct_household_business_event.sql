select
    cast(md5(event.event_type || ' ' || business.registration_no) as uuid) as event_key,
    {{ business_key('household_business', 'business.registration_no') }} as business_key,
    event.event_type,
    event.event_date,
    cast(date_trunc('month', event.event_date) as date) as month_start,
    business.commune_key,
    business.present_key as present_commune_key,
    business.section
from {{ ref('int_business__household') }} as business
cross join lateral (
    values ('registered', business.registered_on), ('closed', business.closed_on)
) as event (event_type, event_date)
where event.event_date is not null
