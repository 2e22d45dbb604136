-- What others have published of the province that this warehouse serves, of its predecessors and of their communes. As
-- printed: nothing here is worked out, averaged or restated, and contradictions stand side by side.
select
    value_code,
    series_code,
    kind,
    name_vi,
    name_en,
    unit_key as place_key,
    province_code,
    cast(numerator as numeric(20, 6)) as numerator,
    cast(denominator as numeric(20, 6)) as denominator,
    value,
    unit,
    qualifier,
    period_start,
    period_end,
    publisher,
    document,
    document_on,
    plan,
    plan_version,
    disagrees_with,
    why_vi,
    why_en
from {{ ref('stg_indicator__published_value') }}
where not is_elsewhere
