select
    unit_code,
    unit_name,
    unit_kind,
    established_on,
    joined_on,
    ended_on
from {{ ref('base_documents__unit') }}
where not _refused
