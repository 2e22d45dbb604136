-- What the public could learn of single holders from an area: `needs` is how much nearer than it may be told. A cell of
-- fewer than three holders, or one of whose holders could work another out within p percent (p% rule: what the two
-- largest leave is less than p percent of the largest), must not be told; it is then hidden within what is missing.
-- khochung.disclosure.withhold reads this and chooses the cells that hide it.
with holders as (
    -- Of several holders of a parcel one stands for all: they know each other's part.
    select
        parcel_key,
        min(coalesce(cast(person_key as text), cast(business_key as text))) as holder
    from {{ ref('fct_land_right') }}
    group by parcel_key
),

held as (
    select
        use.present_commune_key,
        use.land_type,
        -- Whoever is not known holds this parcel alone.
        coalesce(holders.holder, cast(use.parcel_key as text)) as holder,
        sum(use.area_m2) / 10000 as area_ha,
        count(distinct use.parcel_key) as parcels
    from {{ ref('fct_parcel_use') }} as use
    left join holders on use.parcel_key = holders.parcel_key
    where use.is_in_force
    group by use.present_commune_key, use.land_type, coalesce(holders.holder, cast(use.parcel_key as text))
),

ranked as (
    select
        *,
        row_number() over (partition by present_commune_key, land_type order by area_ha desc, holder) as place
    from held
),

summed as (
    select
        present_commune_key,
        land_type,
        count(*) as holders,
        cast(sum(area_ha) as numeric(14, 4)) as area_ha,
        cast(sum(parcels) as integer) as parcels,
        {{ var('dominance_percent') }} / 100.0 * sum(area_ha) filter (where place = 1) as wanted,
        coalesce(sum(area_ha) filter (where place > 2), 0) as others
    from ranked
    group by present_commune_key, land_type
)

select
    unit.unit_code as commune_code,
    unit.unit_name as commune_name,
    summed.land_type,
    summed.area_ha as value,
    summed.parcels,
    summed.holders,
    cast(
        case
            when summed.holders < 3 or summed.others < summed.wanted
                then greatest(summed.wanted - summed.others, 0.0002)
        end as numeric(14, 4)
    ) as needs
from summed
inner join {{ ref('dim_administrative_unit') }} as unit on summed.present_commune_key = unit.commune_key
-- One list of places for the topic: not by the communes that the reform ended.
where {{ as_of() }} >= date '{{ var("two_level_from") }}'
