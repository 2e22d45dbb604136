select
    place_id,
    place_name,
    commune_key,
    valid_from,
    coalesce(valid_to, 'infinity') as valid_to
from {{ ref('base_business__place') }}
where not _refused
