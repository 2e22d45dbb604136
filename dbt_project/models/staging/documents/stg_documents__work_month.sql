select
    unit_code,
    agency_valid_from,
    month_start,
    handled,
    handled_online
from {{ ref('base_documents__work_month') }}
where not _refused
