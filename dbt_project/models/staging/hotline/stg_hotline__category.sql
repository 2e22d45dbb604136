select
    category_id,
    parent_id,
    category_name,
    field_code,
    field_name
from {{ ref('base_hotline__category') }}
where not _refused
