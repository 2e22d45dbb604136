{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='household_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

-- A household is where its head lives; without one, in the first of its communes.
select
    household_key,
    coalesce(min(commune_key) filter (where is_head), min(commune_key)) as commune_key,
    -- Large households are rare enough to be known by their size.
    cast(least(count(*), {{ var('household_size_cap') }}) as integer) as members
from {{ ref('int_population__home') }}
where household_key is not null{{ in_scope('household_key') }}
group by household_key
