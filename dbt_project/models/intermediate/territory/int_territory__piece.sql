-- What happened to a commune that ended: one row per receiver, with the share of its people and of its land.
-- Shares, best first: the only receiver takes all; what the resolution states; what records show (people by their
-- abode, parcels by their new code); people as the land, or land as the people; all to the receiver of the seat.
-- What records show is decided once, by the first delivery after which enough of them were seen in every receiver, and
-- stands: later deliveries change nothing. Three decimals, so that no count can be read off a share; the seat takes the
-- rest, which makes the sum exactly 1.
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

seen as (
    select
        'people' as subject,
        old_key,
        new_key,
        load_id,
        count(*) as records,
        cast(count(*) as numeric) as amount
    from {{ ref('base_population__resident__first_abode') }}
    group by old_key, new_key, load_id

    union all

    select
        'land' as subject,
        old_key,
        new_key,
        load_id,
        count(*) as records,
        sum(area_m2) as amount
    from {{ ref('base_land__parcel__first_place') }}
    group by old_key, new_key, load_id
),

-- After each delivery, in every receiver, whether this one brought anything or not.
deliveries as (
    select distinct
        subject,
        old_key,
        load_id
    from seen
),

known as (
    select
        deliveries.subject,
        deliveries.old_key,
        deliveries.load_id,
        changes.new_key,
        sum(coalesce(seen.records, 0)) over so_far as records,
        sum(coalesce(seen.amount, 0)) over so_far as amount
    from deliveries
    inner join changes on deliveries.old_key = changes.old_key
    left join seen
        on
            deliveries.subject = seen.subject and deliveries.old_key = seen.old_key
            and deliveries.load_id = seen.load_id and changes.new_key = seen.new_key
    window so_far as (
        partition by deliveries.subject, deliveries.old_key, changes.new_key order by deliveries.load_id
    )
),

enough as (
    select
        subject,
        old_key,
        load_id
    from known
    group by subject, old_key, load_id
    having
        min(records) >= {{ var('disclosure_threshold') }}
        and sum(records) >= {{ var('share_needs_records') }}
),

first_enough as (
    select
        subject,
        old_key,
        min(load_id) as load_id
    from enough
    group by subject, old_key
),

decided as (
    select
        known.subject,
        known.old_key,
        known.new_key,
        known.amount / sum(known.amount) over (partition by known.subject, known.old_key) as share
    from known
    inner join first_enough
        on
            known.subject = first_enough.subject
            and known.old_key = first_enough.old_key
            and known.load_id = first_enough.load_id
),

-- Every share that there is; null in all parts of a commune or in none.
candidates as (
    select
        changes.effective_on,
        changes.old_key,
        changes.new_key,
        changes.is_main,
        count(*) over same_old as parts,
        case
            when count(changes.population) over same_old = count(*) over same_old
                then changes.population / cast(sum(changes.population) over same_old as numeric)
        end as stated_people,
        case
            when count(changes.area_km2) over same_old = count(*) over same_old
                then changes.area_km2 / sum(changes.area_km2) over same_old
        end as stated_land,
        people.share as observed_people,
        land.share as observed_land
    from changes
    left join decided as people
        on people.subject = 'people' and changes.old_key = people.old_key and changes.new_key = people.new_key
    left join decided as land
        on land.subject = 'land' and changes.old_key = land.old_key and changes.new_key = land.new_key
    window same_old as (partition by changes.old_key)
),

shares as (
    select
        effective_on,
        old_key,
        new_key,
        case
            when parts = 1 then 'whole'
            when stated_people is not null then 'stated'
            when observed_people is not null then 'observed'
            when coalesce(stated_land, observed_land) is not null then 'land'
            else 'seat'
        end as method_population,
        case
            when parts = 1 then 'whole'
            when stated_land is not null then 'stated'
            when observed_land is not null then 'observed'
            when coalesce(stated_people, observed_people) is not null then 'people'
            else 'seat'
        end as method_area,
        round(
            coalesce(stated_people, observed_people, stated_land, observed_land, cast(is_main as integer)), 3
        ) as share_population,
        round(
            coalesce(stated_land, observed_land, stated_people, observed_people, cast(is_main as integer)), 3
        ) as share_area,
        row_number() over (partition by old_key order by is_main desc, new_key) as place
    from candidates
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
