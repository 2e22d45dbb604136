with spells as (
    select
        enterprise_code,
        min(started_on) filter (where state = 'suspended') as first_suspended_on,
        min(started_on) filter (where state = 'closed') as closed_on
    from {{ ref('int_business__spell') }}
    group by enterprise_code
),

businesses as (
    select
        {{ business_key('enterprise', 'enterprise.enterprise_code') }} as business_key,
        'enterprise' as business_kind,
        enterprise.enterprise_code,
        coalesce(enterprise.legal_form, '?') as legal_form,
        coalesce(enterprise.main_industry, '?') as industry_code,
        coalesce(enterprise.section, '?') as section,
        enterprise.commune_key,
        path.present_key as present_commune_key,
        enterprise.state,
        enterprise.founded_on,
        spells.first_suspended_on,
        case when enterprise.state = 'closed' then spells.closed_on end as closed_on
    from {{ ref('stg_business__enterprise') }} as enterprise
    {{ join_path('enterprise.commune_key', 'cast(null as text)', 'enterprise.enterprise_code') }}
    left join spells on enterprise.enterprise_code = spells.enterprise_code

    union all

    select
        {{ business_key('household_business', 'household.registration_no') }} as business_key,
        'household_business' as business_kind,
        null as enterprise_code,
        'HKD' as legal_form,
        coalesce(household.main_industry, '?') as industry_code,
        household.section,
        household.commune_key,
        household.present_key as present_commune_key,
        case when household.closed_on is null then 'operating' else 'closed' end as state,
        household.registered_on as founded_on,
        null as first_suspended_on,
        household.closed_on
    from {{ ref('int_business__household') }} as household
)

select
    business_key,
    business_kind,
    enterprise_code,
    legal_form,
    industry_code,
    section,
    commune_key,
    present_commune_key,
    state,
    founded_on,
    first_suspended_on,
    closed_on,
    -- Up to here it was seen alive: with founded_on, what a survival curve needs.
    case when state = 'closed' then closed_on else {{ as_of() }} end as followed_until
from businesses
