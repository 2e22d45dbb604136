-- The cells to withhold are chosen before this is built (khochung.disclosure.withhold), for this very build. Where
-- there is a secret and no choice, nothing is told.
with withheld as (
    select concat(first_key, '|', second_key) as cell_name
    from {{ source('disclosure', 'withheld_cell') }}
    where dataset = 'su-dung-dat-theo-xa' and build_id = {{ of_build('build_id') }}
),

found as (
    select
        (select count(*) from withheld) as chosen,
        (select count(secret.needs) from {{ ref('int_disclosure__land_use_by_commune') }} as secret) as secrets
),

-- A cell by its name: it was chosen for this very build, so its commune is one of that day.
named as (
    select
        *,
        concat(commune_code, '|', land_type) as cell_name
    from {{ ref('int_disclosure__land_use_by_commune') }}
),

cells as (
    select
        cell.commune_code,
        cell.commune_name,
        cell.land_type,
        cell.value,
        cell.parcels,
        withheld.cell_name is not null or cell.needs is not null or (found.secrets > 0 and found.chosen = 0)
            as is_withheld
    from named as cell
    cross join found
    left join withheld on cell.cell_name = withheld.cell_name
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
