with former_province as (
    -- The province that a present commune belonged to before. The reform formed none across a border of provinces.
    select
        path.present_key,
        min(unit.province_code) as province_code
    from {{ ref('int_territory__path') }} as path
    inner join {{ ref('stg_admin__unit') }} as unit
        on unit.level_code = 'XA' and path.origin_key = unit.unit_code || '@' || unit.valid_from
    where unit.valid_from < date '{{ var("two_level_from") }}'
    group by path.present_key
)

select
    unit.level_code || '-' || unit.unit_code || '@' || unit.valid_from as unit_key,
    case when unit.level_code = 'XA' then unit.unit_code || '@' || unit.valid_from end as commune_key,
    unit.unit_code,
    unit.level_code,
    unit.unit_name,
    unit.unit_type,
    unit.parent_code,
    parent.unit_name as parent_name,
    unit.province_code,
    case
        when unit.level_code = 'TINH' and unit.valid_from >= date '{{ var("two_level_from") }}' then null
        else coalesce(former_province.province_code, unit.province_code)
    end as former_province,
    case
        when unit.valid_to = 'infinity' then 'since ' || unit.valid_from else 'until ' || unit.valid_to
    end as vintage,
    unit.valid_to >= {{ as_of() }} as is_present,
    cast(unit.latitude as double precision) as latitude,
    cast(unit.longitude as double precision) as longitude,
    unit.legal_basis,
    unit.valid_from,
    nullif(unit.valid_to, 'infinity') as valid_to
from {{ ref('stg_admin__unit') }} as unit
left join {{ ref('stg_admin__unit') }} as parent
    on
        unit.parent_code = parent.unit_code
        and parent.level_code = case
            when unit.level_code = 'XA' and unit.valid_from < date '{{ var("two_level_from") }}' then 'HUYEN'
            else 'TINH'
        end
        and unit.valid_from between parent.valid_from and parent.valid_to
left join former_province
    on unit.level_code = 'XA' and unit.unit_code || '@' || unit.valid_from = former_province.present_key
