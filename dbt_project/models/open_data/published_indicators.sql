select
    said.value_code,
    said.series_code,
    said.kind,
    said.name_vi,
    said.name_en,
    place.unit_name as place_name,
    said.value,
    said.unit,
    said.qualifier,
    said.period_start,
    said.period_end,
    said.publisher,
    said.document,
    said.document_on,
    said.plan,
    said.plan_version,
    said.disagrees_with,
    said.why_vi
from {{ ref('fct_published_value') }} as said
inner join {{ ref('dim_administrative_unit') }} as place on said.place_key = place.unit_key
