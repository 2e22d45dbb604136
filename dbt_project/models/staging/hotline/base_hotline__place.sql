{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.place_id as _record_key,
        {{ clean_code('raw_row.place_id') }} as place_id,
        {{ clean_code('raw_row.parent_id') }} as parent_id,
        {{ clean_code('raw_row.type_code') }} as type_code,
        {{ clean_text('raw_row.place_name') }} as place_name
    from {{ source('hotline', 'place') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

conformed as (
    select
        cleaned.*,
        kind.conformed_code as conformed_type
    from cleaned
    {{ join_code('kind', 'hotline', 'place_type', 'cleaned.type_code') }}
    {{ once() }}
),

-- The platform knows no codes: a commune under a district is of the three-level system and known by both names and the
-- province's, one straight under a province is of the present list. Names repeat; these paths do not.
paths as (
    select
        place.place_id,
        place.place_name as commune_name,
        above.place_name as above_name,
        top.place_name as province_name,
        above.conformed_type = 'province' as is_two_level
    from conformed as place
    inner join conformed as above on place.parent_id = above.place_id
    left join conformed as top on above.parent_id = top.place_id
    where place.conformed_type = 'commune'
),

units as (
    select
        commune.unit_code as commune_code,
        commune.unit_name as commune_name,
        above.unit_name as above_name,
        province.unit_name as province_name,
        commune.valid_from >= date '{{ var("two_level_from") }}' as is_two_level,
        max(commune.valid_from) as valid_from
    from {{ ref('stg_admin__unit') }} as commune
    inner join {{ ref('stg_admin__unit') }} as above
        on
            commune.parent_code = above.unit_code
            and above.level_code
            = case when commune.valid_from >= date '{{ var("two_level_from") }}' then 'TINH' else 'HUYEN' end
            and commune.valid_from between above.valid_from and above.valid_to
    left join {{ ref('stg_admin__unit') }} as province
        on
            above.level_code = 'HUYEN'
            and above.parent_code = province.unit_code
            and province.level_code = 'TINH'
            and above.valid_from between province.valid_from and province.valid_to
    where commune.level_code = 'XA'
    group by commune.unit_code, commune.unit_name, above.unit_name, province.unit_name, is_two_level
),

located as (
    select
        conformed.*,
        paths.is_two_level,
        units.commune_code,
        count(*) over (partition by conformed.place_id) as candidates
    from conformed
    left join paths on conformed.place_id = paths.place_id
    left join units
        on
            paths.commune_name = units.commune_name
            and paths.is_two_level = units.is_two_level
            and lower(paths.above_name) = lower(units.above_name)
            and (paths.is_two_level or lower(paths.province_name) = lower(units.province_name))
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['place_name']),
            issue('type_code', 'CODE_UNKNOWN', 'conformed_type is null', refuse=true),
            issue('place_name', 'CODE_UNKNOWN', "conformed_type = 'commune' and commune_code is null", refuse=true),
            issue('place_name', 'ID_DUPLICATE', 'candidates > 1', refuse=true),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    place_id,
    conformed_type as place_type,
    place_name,
    commune_code,
    is_two_level,
    {{ verdict() }}
from checked
