{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='record_id', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}', meta={'tells': ['household_key']}
) }}

-- Who lives where on the day of the build, by the residence that no event has ended, in the communes of the present.
with homes as (
    select
        spell.record_id,
        path.present_key as commune_key
    from {{ ref('int_population__spell') }} as spell
    {{ join_path('spell.commune_key', 'spell.known_present_key', 'spell.record_id') }}
    where spell.ended_on is null{{ in_scope('spell.record_id') }}
),

members as (
    select
        homes.record_id,
        homes.commune_key,
        resident.household_no,
        coalesce(lower(resident.householder_relation) = 'chủ hộ', false) as is_head
    from homes
    inner join {{ ref('base_population__resident') }} as resident on homes.record_id = resident.record_id
),

households as (
    select
        household_no,
        {{ pseudonym('household', 'household_no') }} as household_key
    from members
    where household_no is not null
    group by household_no
)

select
    members.record_id,
    members.commune_key,
    households.household_key,
    members.is_head
from members
left join households on members.household_no = households.household_no
