select
    event.event_no,
    {{ business_key('enterprise', 'event.enterprise_code') }} as business_key,
    event.event_date,
    cast(date_trunc('month', event.event_date) as date) as month_start,
    case event.event_type
        when 'DKM' then 'registered'
        when 'TN' then 'suspended'
        when 'HDTL' then 'resumed'
        when 'GT' then 'dissolved'
        when 'TH' then 'revoked'
        when 'CTC' then 'moved'
    end as event_type,
    event.commune_key,
    path.present_key as present_commune_key,
    coalesce(enterprise.legal_form, '?') as legal_form,
    coalesce(enterprise.section, '?') as section,
    event.capital_vnd
from {{ ref('stg_business__enterprise_event') }} as event
inner join {{ ref('stg_business__enterprise') }} as enterprise on event.enterprise_code = enterprise.enterprise_code
{{ join_path('event.commune_key', 'enterprise.commune_key', 'event.enterprise_code') }}
