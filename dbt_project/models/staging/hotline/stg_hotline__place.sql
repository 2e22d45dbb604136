select
    place_id,
    place_type,
    place_name,
    commune_code,
    is_two_level
from {{ ref('base_hotline__place') }}
where not _refused
