{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='use_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

select
    cast(md5('use ' || use.use_id) as uuid) as use_key,
    {{ parcel_key('use.parcel_id') }} as parcel_key,
    parcel.commune_key,
    parcel.present_key as present_commune_key,
    use.land_type,
    use.origin_code,
    cast(use.area_m2 as numeric(16, 2)) as area_m2,
    use.term_until,
    parcel.is_in_force
from {{ ref('stg_land__parcel_use') }} as use
inner join {{ ref('int_land__parcel') }} as parcel on use.parcel_id = parcel.parcel_id
where true{{ in_scope('use.use_id') }}
