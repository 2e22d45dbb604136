select
    fact.month_start,
    fact.flow,
    fact.level_code,
    place.unit_code as place_code,
    place.unit_name as place_name,
    fact.chapter_code,
    chapter.name_vi as chapter_name,
    cast(sum(fact.executed_vnd) as numeric(20, 2)) as executed_vnd,
    cast(sum(fact.estimate_vnd) as numeric(20, 2)) as estimate_vnd,
    cast({{ rate('sum(fact.executed_vnd)', 'sum(fact.estimate_vnd)') }} as numeric(18, 2)) as execution_percent
from {{ ref('fct_budget_month') }} as fact
inner join {{ ref('dim_administrative_unit') }} as place on fact.place_key = place.unit_key
inner join {{ ref('dim_budget_chapter') }} as chapter on fact.chapter_code = chapter.chapter_code
group by
    fact.month_start, fact.flow, fact.level_code, place.unit_code, place.unit_name, fact.chapter_code, chapter.name_vi
