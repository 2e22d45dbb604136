select
    event_no,
    enterprise_code,
    event_type,
    event_date,
    place_id,
    commune_key,
    capital_vnd
from {{ ref('base_business__enterprise_event') }}
where not _refused
