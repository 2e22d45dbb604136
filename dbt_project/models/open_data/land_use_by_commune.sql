-- The cells to withhold are chosen before this is built (khochung.disclosure.withhold), for this very build. Where there
-- is a secret and no choice, nothing is told.
with withheld as (
    select
        first_key as commune_code,
        second_key as land_type
    from {{ source('disclosure', 'withheld_cell') }}
    where dataset = 'su-dung-dat-theo-xa' and build_id = {{ var('build_id') }}
),

cells as (
    select
        commune_code,
        commune_name,
        land_type,
        value,
        parcels,
        (commune_code, land_type) in (select withheld.commune_code, withheld.land_type from withheld)
        or needs is not null
        or (
            exists (select from {{ ref('int_disclosure__land_use_by_commune') }} as secret where secret.needs is not null)
            and not exists (select from withheld)
        ) as is_withheld
    from {{ ref('int_disclosure__land_use_by_commune') }}
)

select
    cells.commune_code,
    cells.commune_name,
    cells.land_type,
    type.name_vi as land_type_name,
    type.land_group,
    cast(case when not cells.is_withheld then cells.value end as numeric(14, 4)) as area_ha,
    cells.is_withheld as area_ha_suppressed,
    case when not cells.is_withheld then cells.parcels end as parcels,
    cells.is_withheld as parcels_suppressed
from cells
inner join {{ ref('dim_land_use') }} as type on cells.land_type = type.land_type
