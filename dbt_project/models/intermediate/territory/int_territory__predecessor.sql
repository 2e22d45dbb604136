-- The other way round: where people of a commune of the reform came from, when only the new commune was written down.
-- Shares are those of the residents registered in the former communes; an interval [low, high) takes a record's draw.
with residents as (
    select
        permanent_commune_key as origin_key,
        count(*) as residents
    from {{ ref('stg_population__resident') }}
    group by permanent_commune_key
),

origins as (
    select
        path.present_key as commune_key,
        path.origin_key,
        sum(path.weight_population) * coalesce(max(residents.residents), 0) + 0.001 as people
    from {{ ref('int_territory__path') }} as path
    inner join {{ ref('stg_admin__unit') }} as present
        on present.level_code = 'XA' and path.present_key = present.unit_code || '@' || present.valid_from
    inner join {{ ref('stg_admin__unit') }} as origin
        on origin.level_code = 'XA' and path.origin_key = origin.unit_code || '@' || origin.valid_from
    left join residents on path.origin_key = residents.origin_key
    where origin.valid_to = present.valid_from - 1
    group by path.present_key, path.origin_key
)

select
    commune_key,
    origin_key,
    (sum(people) over up_to_here - people) / sum(people) over together as low,
    sum(people) over up_to_here / sum(people) over together as high
from origins
window
    together as (partition by commune_key),
    up_to_here as (partition by commune_key order by origin_key rows unbounded preceding)
