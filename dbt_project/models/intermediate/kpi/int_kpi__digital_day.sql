-- What a day adds to the metrics of community digital teams and digital-technology enterprises: each enters on its
-- first day and leaves on the day after its last. A commune counts as having a team from the day of its first team to
-- that of its last; teams follow their commune through the reforms. Areas are told by the former province.
with places as (
    select
        commune_key,
        former_province,
        greatest(valid_from, date '{{ var("calendar_from") }}') as valid_from,
        valid_to
    from {{ ref('dim_administrative_unit') }}
    where level_code = 'XA' and coalesce(valid_to, 'infinity') >= date '{{ var("calendar_from") }}'
),

served as (
    select
        step.commune_key,
        min(greatest(team.founded_on, step.step_from)) as first_day,
        max(least(coalesce(team.ended_on - 1, 'infinity'), step.step_to)) as last_day
    from {{ ref('fct_digital_team') }} as team
    inner join {{ ref('int_territory__path') }} as path
        on
            team.commune_key = path.origin_key
            and team.present_commune_key = path.present_key
            and path.is_first_to_present
    inner join {{ ref('int_territory__path_step') }} as step
        on path.origin_key = step.origin_key and path.path_no = step.path_no
    where
        team.founded_on <= step.step_to
        and coalesce(team.ended_on, 'infinity') > greatest(team.founded_on, step.step_from)
    group by step.commune_key
),

steps as (
    select
        metric.metric_code,
        team.former_province,
        change.day,
        change.step * metric.numerator as numerator,
        cast(null as bigint) as denominator
    from {{ ref('fct_digital_team') }} as team
    cross join lateral (values (team.founded_on, 1), (team.ended_on, -1)) as change (day, step)
    cross join lateral (
        values ('digital_teams', 1), ('digital_team_members', team.members)
    ) as metric (metric_code, numerator)

    union all

    select
        'digital_enterprises' as metric_code,
        enterprise.former_province,
        change.day,
        change.step as numerator,
        null as denominator
    from {{ ref('fct_digital_enterprise') }} as enterprise
    cross join lateral (values (enterprise.listed_on, 1), (enterprise.ended_on, -1)) as change (day, step)

    union all

    select
        'communes_with_digital_team' as metric_code,
        place.former_province,
        change.day,
        change.step * change.is_served as numerator,
        change.step * change.is_commune as denominator
    from places as place
    left join served on place.commune_key = served.commune_key
    cross join lateral (
        values
        (place.valid_from, 1, 0, 1),
        (place.valid_to + 1, -1, 0, 1),
        (case when served.first_day is not null then greatest(served.first_day, place.valid_from) end, 1, 1, 0),
        (case when served.last_day < 'infinity' then served.last_day + 1 end, -1, 1, 0)
    ) as change (day, step, is_served, is_commune)
)

select
    metric_code,
    'press' as metric_version,
    'running' as accrual,
    cast(null as text) as agency_key,
    former_province,
    day,
    sum(numerator) as numerator,
    sum(denominator) as denominator
from steps
where day <= {{ as_of() }}
group by metric_code, former_province, day
