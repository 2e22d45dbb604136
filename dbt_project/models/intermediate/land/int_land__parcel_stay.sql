-- How many parcels, of what area, a commune had from one month to another: parcels cut where their commune changed.
with spells as (
    select
        origin_key,
        path_no,
        from_month,
        until_month,
        count(*) as parcels,
        sum(area_m2) as area_m2
    from {{ ref('int_land__parcel') }}
    group by origin_key, path_no, from_month, until_month
)

{{ stays_on_paths(dimensions=[], measures=['parcels', 'area_m2']) }}
