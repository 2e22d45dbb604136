select
    event_id,
    record_id,
    event_type,
    from_province,
    from_commune_key,
    to_province,
    to_commune_key,
    event_date,
    registered_on,
    updated_at
from {{ ref('base_population__event') }}
where not _refused
