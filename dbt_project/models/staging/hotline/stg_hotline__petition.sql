select
    petition_id,
    kind,
    category_id,
    commune_key,
    channel,
    agency_code,
    agency_valid_from,
    status,
    due_at,
    answered_at,
    published_at,
    satisfaction,
    reminders,
    is_public,
    is_anonymous,
    received_at
from {{ ref('base_hotline__petition') }}
where not _refused
