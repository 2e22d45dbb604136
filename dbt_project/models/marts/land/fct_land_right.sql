{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='right_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

select
    cast(md5('right ' || holding.right_id) as uuid) as right_key,
    {{ parcel_key('holding.parcel_id') }} as parcel_key,
    parcel.commune_key,
    parcel.present_key as present_commune_key,
    case holding.holder_type
        when 'CN' then 'individual'
        when 'HGD' then 'household'
        when 'TC' then 'organisation'
        else 'unknown'
    end as holder_type,
    holder.person_key,
    case
        when enterprise.enterprise_code is not null then {{ business_key('enterprise', 'enterprise.enterprise_code') }}
    end as business_key,
    holding.certificate_class,
    holding.issued_on,
    parcel.is_in_force
from {{ ref('stg_land__land_right') }} as holding
inner join {{ ref('int_land__parcel') }} as parcel on holding.parcel_id = parcel.parcel_id
left join {{ ref('int_person__link') }} as holder
    on holder.register = 'land_right' and cast(holding.right_id as text) = holder.record_key
left join {{ ref('stg_business__enterprise') }} as enterprise on holding.enterprise_code = enterprise.enterprise_code
where true{{ in_scope('holding.right_id') }}
