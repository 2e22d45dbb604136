select
    item_code,
    flow,
    name_vi,
    name_en
from {{ ref('budget_item') }}
