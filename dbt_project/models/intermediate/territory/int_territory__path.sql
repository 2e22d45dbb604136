{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='origin_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

-- Every way from a commune to the present ones: 28006 of 2004 became three communes in 2024, each of which became a
-- part of one in 2025. A record whose present commune is not known takes the path into whose interval [low, high) of
-- the share of people its own fixed draw falls, so that totals follow the shares and nobody is counted by halves.
with recursive pieces as (
    select
        *,
        coalesce(sum(share_population) over (
            partition by old_key order by place rows between unbounded preceding and 1 preceding
        ), 0) as share_before
    from {{ ref('int_territory__piece') }}
),

paths as (
    select
        unit_code || '@' || valid_from as origin_key,
        unit_code || '@' || valid_from as present_key,
        unit_code || '@' || valid_from as commune_keys,
        cast('whole' as text) as method_population,
        cast('whole' as text) as method_area,
        cast(0 as numeric) as low,
        cast(1 as numeric) as weight_population,
        cast(1 as numeric) as weight_area
    from {{ ref('stg_admin__unit') }}
    where level_code = 'XA'

    union all

    select
        paths.origin_key,
        piece.new_key as present_key,
        paths.commune_keys || ' ' || piece.new_key as commune_keys,
        case when piece.method_population = 'whole' then paths.method_population else piece.method_population end
            as method_population,
        case when piece.method_area = 'whole' then paths.method_area else piece.method_area end as method_area,
        paths.low + paths.weight_population * piece.share_before as low,
        paths.weight_population * piece.share_population as weight_population,
        paths.weight_area * piece.share_area as weight_area
    from paths
    inner join pieces as piece on paths.present_key = piece.old_key
),

complete as (
    select *
    from paths
    where present_key not in (select pieces.old_key from pieces)
)

select
    origin_key,
    row_number() over (partition by origin_key order by low, weight_population desc, present_key) as path_no,
    present_key,
    commune_keys,
    method_population,
    method_area,
    low,
    low + weight_population as high,
    weight_population,
    weight_area,
    row_number() over (
        partition by origin_key, present_key order by weight_population desc, weight_area desc, low
    ) = 1 as is_first_to_present
from complete
