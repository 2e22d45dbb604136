-- What a commune adds to the land metrics in a month. Area is that of the parcels in force in the land register: no
-- source of this warehouse states the area of a commune.
with uses as (
    select
        cast(date_trunc('month', use.month_end) as date) as month_start,
        use.commune_key,
        use.present_commune_key,
        sum(use.area_m2) / 1e6 as area_km2,
        sum(use.area_m2) filter (where type.land_group = 'NNP') / 1e6 as agricultural,
        sum(use.area_m2) filter (where type.land_group = 'PNN') / 1e6 as non_agricultural,
        sum(use.area_m2) filter (where type.land_group = 'CSD') / 1e6 as unused,
        sum(use.area_m2) filter (where use.land_type in ('LUC', 'LUK')) / 1e6 as rice,
        sum(use.area_m2) filter (where use.land_type in ('ONT', 'ODT')) / 1e6 as residential
    from {{ ref('fct_land_use_month') }} as use
    inner join {{ ref('dim_land_use') }} as type on use.land_type = type.land_type
    group by use.month_end, use.commune_key, use.present_commune_key
),

parcels as (
    select
        cast(date_trunc('month', month_end) as date) as month_start,
        commune_key,
        present_commune_key,
        area_m2 / 1e6 as area_km2
    from {{ ref('fct_parcel_month') }}
),

counted as (
    select
        uses.month_start,
        uses.commune_key,
        uses.present_commune_key,
        metric.*
    from uses
    cross join lateral (
        values
        ('land_agricultural_share', agricultural, area_km2),
        ('land_non_agricultural_share', non_agricultural, area_km2),
        ('land_unused_share', unused, area_km2),
        ('land_rice_share', rice, area_km2),
        ('land_residential_share', residential, area_km2)
    ) as metric (metric_code, numerator, denominator)

    union all

    select
        parcels.month_start,
        parcels.commune_key,
        parcels.present_commune_key,
        metric.*
    from parcels
    cross join lateral (
        values
        ('land_area', area_km2, null),
        ('population_density', 0, area_km2)
    ) as metric (metric_code, numerator, denominator)
)

select
    metric_code,
    'yearbook' as metric_version,
    'last' as accrual,
    commune_key,
    present_commune_key,
    month_start,
    cast(coalesce(numerator, 0) as numeric(20, 6)) as numerator,
    cast(denominator as numeric(20, 6)) as denominator
from counted
