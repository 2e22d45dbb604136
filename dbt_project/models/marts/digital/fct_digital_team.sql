-- The commune of the first day, and the present one: where a commune was divided nobody says to which side its team
-- went, so the part that kept the seat stands for it.
select
    team.team_no,
    team.commune_key,
    present.present_commune_key,
    unit.former_province,
    team.founded_on,
    team.ended_on,
    coalesce(team.members, 0) as members
from {{ ref('stg_digital__team') }} as team
inner join {{ ref('dim_administrative_unit') }} as unit on team.commune_key = unit.commune_key
inner join lateral (
    select bridge.present_commune_key
    from {{ ref('bridge_administrative_unit') }} as bridge
    where bridge.commune_key = team.commune_key
    order by bridge.weight_population desc, bridge.present_commune_key
    limit 1
) as present on true
