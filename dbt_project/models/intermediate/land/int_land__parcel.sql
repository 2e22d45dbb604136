{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='parcel_id', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

-- Parcels with the present commune, their own where it is of the two-level list, otherwise along the path; and with the
-- path that the place took, and the months at whose end the parcel was there (`from_month` to `until_month` − 1).
with parcels as (
    select
        parcel.*,
        path.origin_key as recorded_origin_key,
        path.path_no as recorded_path_no,
        path.present_key,
        case when path.weight_population = 1 then 'whole' else path.method_population end as present_method
    from {{ ref('stg_land__parcel') }} as parcel
    {{ join_path('parcel.commune_key', 'cast(null as text)', 'cast(parcel.parcel_id as text)') }}
    where true{{ in_scope('parcel.parcel_id') }}
)

select
    parcels.parcel_id,
    parcels.commune_key,
    parcels.present_key,
    parcels.present_method,
    parcels.numbering_commune_key,
    parcels.sheet_no,
    parcels.parcel_no,
    parcels.parent_parcel_id,
    parcels.area_m2,
    parcels.legal_area_m2,
    parcels.boundary_area_m2,
    parcels.longitude,
    parcels.latitude,
    parcels.is_in_force,
    cast(parcels.created_at as date) as created_on,
    cast(parcels.ended_at as date) as ended_on,
    -- Where the former commune is known, it was that one before the reform.
    coalesce(former.origin_key, parcels.recorded_origin_key) as origin_key,
    coalesce(former.path_no, parcels.recorded_path_no) as path_no,
    case
        when parcels.created_at >= date '{{ var("first_month") }}' then {{ month_number('parcels.created_at') }}
        else {{ opening_month() }}
    end as from_month,
    -- Ended, but the date of it is missing or impossible: the record was last changed then.
    case
        when not parcels.is_in_force then {{ month_number('coalesce(parcels.ended_at, parcels.updated_at)') }}
    end as until_month
from parcels
left join {{ ref('int_territory__path') }} as former
    on parcels.numbering_commune_key = former.origin_key and parcels.present_key = former.present_key
    and former.is_first_to_present
