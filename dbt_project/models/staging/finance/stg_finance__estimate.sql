select
    record_no,
    from_month,
    to_month,
    level_code,
    chapter_code,
    item_code,
    place_key,
    amount_vnd
from {{ ref('base_finance__estimate') }}
where not _refused
