select
    unit_code || '@' || agency_valid_from as agency_key,
    month_start,
    cast(handled as integer) as handled,
    cast(handled_online as integer) as handled_online
from {{ ref('stg_documents__work_month') }}
