-- As on the day of the build, by the present communes: each of them, those without a team too.
with teams as (
    select
        present_commune_key,
        count(*) as teams,
        sum(members) as members
    from {{ ref('fct_digital_team') }}
    where ended_on is null
    group by present_commune_key
),

enterprises as (
    select
        present_commune_key,
        count(*) as enterprises
    from {{ ref('fct_digital_enterprise') }}
    where ended_on is null
    group by present_commune_key
)

select
    unit.unit_code as commune_code,
    unit.unit_name as commune_name,
    cast(coalesce(teams.teams, 0) as integer) as teams,
    cast(coalesce(teams.members, 0) as integer) as members,
    cast(coalesce(enterprises.enterprises, 0) as integer) as digital_enterprises
from {{ ref('dim_administrative_unit') }} as unit
left join teams on unit.commune_key = teams.present_commune_key
left join enterprises on unit.commune_key = enterprises.present_commune_key
where unit.level_code = 'XA' and unit.is_present
