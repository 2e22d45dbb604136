{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='record_id', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}', meta={'has_twins': true}
) }}

-- Spells cut where the commune itself changed, in whole months: somebody is counted at the month-ends from
-- `from_month` to `until_month` − 1. The month before the series holds the opening stock.
with stays as (
    select
        spell.record_id,
        spell.sex,
        spell.birth_month,
        spell.draw,
        step.commune_key,
        path.present_key as present_commune_key,
        greatest(coalesce(spell.started_on, '-infinity'), step.step_from) as started_on,
        least(coalesce(spell.ended_on, 'infinity'), step.step_to + 1) as ended_on,
        case
            when step.step_from <= coalesce(spell.started_on, '-infinity') then spell.start_cause
            when step.commune_key = spell.commune_key then 'register_entry'
            else 'reorganised_in'
        end as start_cause,
        case
            when step.step_to < spell.ended_on - 1 or spell.ended_on is null then 'reorganised_out'
            else spell.end_cause
        end as end_cause
    from {{ ref('int_population__spell') }} as spell
    {{ join_path('spell.commune_key', 'spell.known_present_key', 'spell.record_id') }}
    inner join {{ ref('int_territory__path_step') }} as step
        on path.origin_key = step.origin_key and path.path_no = step.path_no
        and coalesce(spell.started_on, '-infinity') <= step.step_to
        and coalesce(spell.ended_on, 'infinity') > step.step_from
    where coalesce(spell.ended_on, 'infinity') >= date '{{ var("first_month") }}'{{ in_scope('spell.record_id') }}
)

select
    record_id,
    sex,
    birth_month,
    draw,
    commune_key,
    present_commune_key,
    start_cause,
    case when ended_on < 'infinity' then end_cause end as end_cause,
    case
        when started_on < date '{{ var("first_month") }}' then {{ opening_month() }}
        else {{ month_number('started_on') }}
    end as from_month,
    case when ended_on < 'infinity' then {{ month_number('ended_on') }} end as until_month
from stays
where ended_on >= date '{{ var("first_month") }}'
