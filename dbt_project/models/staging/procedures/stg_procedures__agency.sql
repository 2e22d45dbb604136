select
    agency_code,
    agency_name,
    level_code,
    parent_code,
    commune_key,
    valid_from,
    coalesce(valid_to, 'infinity') as valid_to
from {{ ref('base_procedures__agency') }}
where not _refused
