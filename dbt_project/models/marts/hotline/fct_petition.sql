-- Reports from the spot: what "1022" means in reports.
select
    {{ pseudonym('petition', 'petition_id') }} as petition_key,
    category_id,
    field_code,
    channel,
    agency_key,
    commune_key,
    present_commune_key,
    status,
    is_refused,
    received_on,
    due_on,
    answered_on,
    refused_on,
    published_on,
    is_on_time,
    satisfaction,
    is_satisfied,
    reminders,
    is_public,
    is_anonymous,
    {{ record_draw('petition', 'petition_id') }} as petition_draw
from {{ ref('int_hotline__petition') }}
where kind = 'on_site'
