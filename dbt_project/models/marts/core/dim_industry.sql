select
    section.section,
    section.name_vi,
    section.name_en,
    section.first_division,
    section.last_division
from {{ ref('vsic_section') }} as section

union all

select
    '?' as section,
    'Chưa xác định' as name_vi,
    'Not determined' as name_en,
    null as first_division,
    null as last_division
