select
    record_no,
    month_start,
    level_code,
    chapter_code,
    item_code,
    place_key,
    amount_vnd
from {{ ref('base_finance__execution') }}
where not _refused
