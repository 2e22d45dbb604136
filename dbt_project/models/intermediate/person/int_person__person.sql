{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='person_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

-- Everybody whom a register names and who could be known, with the word of the register that ranks first.
with ranks as (
    select
        register,
        min(rank) filter (where attribute = 'birth_year') as birth_year_rank,
        min(rank) filter (where attribute = 'sex') as sex_rank
    from {{ ref('authority_ranking') }}
    group by register
),

number_ranks as (
    select
        birth_year_rank,
        sex_rank
    from ranks
    where register = 'personal_id'
),

people as (
    select
        link.person_key,
        least(
            {{ by_authority('link.birth_year', 'ranks.birth_year_rank') }},
            {{ by_authority('link.number_birth_year', '(select birth_year_rank from number_ranks)') }}
        ) % 10000 as birth_year,
        least(
            {{ by_authority('link.sex', 'ranks.sex_rank') }},
            {{ by_authority('link.number_sex', '(select sex_rank from number_ranks)') }}
        ) % 10000 as sex,
        min(link.record_key) filter (where link.register = 'resident') as resident_record_id,
        max(link.active_on) as active_on,
        min(link.birth_year) <> max(link.birth_year) as birth_years_differ,
        min(link.sex) <> max(link.sex) as sexes_differ
    from {{ ref('int_person__link') }} as link
    left join ranks on link.register = ranks.register
    where link.person_key is not null{{ in_scope('link.person_key') }}
    group by link.person_key
)

select
    people.person_key,
    people.resident_record_id,
    people.birth_year,
    people.sex,
    case
        when resident.died_on is not null then 'dead'
        when resident.status_code = '3' then 'moved_out'
        when resident.record_id is not null then 'resident'
        else 'not_registered'
    end as residence_status,
    resident.died_on,
    coalesce(people.birth_years_differ, false) as birth_years_differ,
    coalesce(people.sexes_differ, false) as sexes_differ,
    coalesce({{ acted_until('people.active_on') }} > resident.died_on, false) as outlives_death
from people
left join {{ ref('int_person__resident') }} as resident on people.resident_record_id = resident.record_id
