select
    chapter_code,
    name_vi,
    name_en
from {{ ref('budget_chapter') }}
