-- What land use is published from is all of it: before anything is withheld, the sum over communes and types is that of
-- the accepted uses of parcels in force, but for 1 m² per row by rounding. Before the reform nothing is published.
with published as (
    select
        coalesce(sum(value), 0) * 10000 as area_m2,
        count(*) as published_rows
    from {{ ref('int_disclosure__land_use_by_commune') }}
),

accepted as (
    select coalesce(sum(use.area_m2), 0) as area_m2
    from {{ ref('stg_land__parcel_use') }} as use
    inner join {{ ref('stg_land__parcel') }} as parcel on use.parcel_id = parcel.parcel_id
    where parcel.is_in_force
)

select *
from published
cross join accepted
where
    abs(published.area_m2 - accepted.area_m2) > published.published_rows
    and {{ as_of() }} >= date '{{ var("two_level_from") }}'
