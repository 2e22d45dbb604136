select
    category_id,
    category_name,
    field_code,
    field_name
from {{ ref('stg_hotline__category') }}
