select
    effective_on,
    old_code,
    new_code,
    relation,
    is_main,
    population,
    area_km2,
    legal_basis
from {{ ref('base_admin__unit_change') }}
where not _refused
