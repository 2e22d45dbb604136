select
    registration_no,
    event_type,
    registered_on,
    event_date,
    commune_key
from {{ ref('base_civil__registration') }}
where not _refused
