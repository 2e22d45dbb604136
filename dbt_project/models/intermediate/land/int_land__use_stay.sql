-- The same of uses, by land type. What a use was before its last change is not known: today's type holds for every
-- month.
with spells as (
    select
        parcel.origin_key,
        parcel.path_no,
        use.land_type,
        parcel.from_month,
        parcel.until_month,
        count(*) as uses,
        sum(use.area_m2) as area_m2
    from {{ ref('stg_land__parcel_use') }} as use
    inner join {{ ref('int_land__parcel') }} as parcel on use.parcel_id = parcel.parcel_id
    group by parcel.origin_key, parcel.path_no, use.land_type, parcel.from_month, parcel.until_month
)

{{ stays_on_paths(dimensions=['land_type'], measures=['uses', 'area_m2']) }}
