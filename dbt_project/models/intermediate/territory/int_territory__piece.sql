-- What happened to a commune that ended: one row per receiver, with the share of its people and of its land.
-- Shares, best first: the only receiver takes all; what the resolution states; what later records show (people by
-- their registered abode, parcels by their new code); all to the receiver of the seat.
-- Shares are kept to three decimals, so that they stay the same while records trickle in; the seat takes the rest.
with units as (
    select
        unit_code || '@' || valid_from as commune_key,
        unit_code,
        valid_from,
        valid_to
    from {{ ref('stg_admin__unit') }}
    where level_code = 'XA'
),

changes as (
    select
        change.effective_on,
        old_unit.commune_key as old_key,
        new_unit.commune_key as new_key,
        change.is_main,
        change.population,
        change.area_km2
    from {{ ref('stg_admin__unit_change') }} as change
    inner join units as old_unit
        on change.old_code = old_unit.unit_code and change.effective_on - 1 = old_unit.valid_to
    inner join units as new_unit
        on
            change.new_code = new_unit.unit_code
            and change.effective_on between new_unit.valid_from and new_unit.valid_to
),

split as (
    select old_key
    from changes
    group by old_key
    having count(*) > 1
),

people as (
    select
        permanent_commune_key as old_key,
        current_commune_key as new_key,
        count(*) as seen
    from {{ ref('stg_population__resident') }}
    where permanent_commune_key in (select split.old_key from split)
    group by permanent_commune_key, current_commune_key
),

land as (
    select
        former_commune_key as old_key,
        commune_key as new_key,
        count(*) as seen,
        sum(area_m2) as seen_m2
    from {{ ref('stg_land__parcel') }}
    where former_commune_key in (select split.old_key from split)
    group by former_commune_key, commune_key
),

evidence as (
    select
        changes.*,
        coalesce(people.seen, 0) as seen_people,
        coalesce(land.seen_m2, 0) as seen_m2,
        count(*) over same_old as parts,
        count(changes.population) over same_old as stated_population,
        sum(changes.population) over same_old as total_population,
        count(changes.area_km2) over same_old as stated_area,
        sum(changes.area_km2) over same_old as total_area,
        min(coalesce(people.seen, 0)) over same_old as least_people,
        sum(coalesce(people.seen, 0)) over same_old as all_people,
        min(coalesce(land.seen, 0)) over same_old as least_parcels,
        sum(coalesce(land.seen_m2, 0)) over same_old as all_m2
    from changes
    left join people on changes.old_key = people.old_key and changes.new_key = people.new_key
    left join land on changes.old_key = land.old_key and changes.new_key = land.new_key
    window same_old as (partition by changes.old_key)
),

shares as (
    select
        effective_on,
        old_key,
        new_key,
        is_main,
        case
            when parts = 1 then 'whole'
            when stated_population = parts then 'stated'
            when least_people >= {{ var('disclosure_threshold') }} then 'observed'
            else 'seat'
        end as method_population,
        case
            when parts = 1 then 'whole'
            when stated_area = parts then 'stated'
            when least_parcels >= {{ var('disclosure_threshold') }} then 'observed'
            else 'seat'
        end as method_area,
        case
            when parts = 1 then 1
            when stated_population = parts then round(population / cast(total_population as numeric), 3)
            when least_people >= {{ var('disclosure_threshold') }}
                then round(seen_people / cast(all_people as numeric), 3)
            when is_main then 1
            else 0
        end as share_population,
        case
            when parts = 1 then 1
            when stated_area = parts then round(area_km2 / total_area, 3)
            when least_parcels >= {{ var('disclosure_threshold') }} then round(seen_m2 / all_m2, 3)
            when is_main then 1
            else 0
        end as share_area,
        row_number() over (partition by old_key order by is_main desc, new_key) as place
    from evidence
)

select
    effective_on,
    old_key,
    new_key,
    method_population,
    method_area,
    place,
    case
        when place = 1 then 1 - coalesce(sum(share_population) filter (where place > 1) over same_old, 0)
        else share_population
    end as share_population,
    case
        when place = 1 then 1 - coalesce(sum(share_area) filter (where place > 1) over same_old, 0)
        else share_area
    end as share_area
from shares
window same_old as (partition by old_key)
