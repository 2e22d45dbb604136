-- Household businesses by location, with the path of their commune and the months at whose end they were there.
-- Counted by registered location, never by number: on 1/7/2025 the number became the owner's, who may have several.
select
    business.registration_no,
    business.main_industry,
    coalesce(business.section, '?') as section,
    business.commune_key,
    path.origin_key,
    path.path_no,
    path.present_key,
    business.registered_on,
    business.closed_on,
    case
        when business.registered_on < date '{{ var("first_month") }}' then {{ opening_month() }}
        else {{ month_number('business.registered_on') }}
    end as from_month,
    {{ month_number('business.closed_on') }} as until_month
from {{ ref('stg_business__household_business') }} as business
{{ join_path('business.commune_key', 'cast(null as text)', 'business.registration_no') }}
