-- What was published of other provinces, in a table of its own: no sum over the province's own values can take it in.
select
    value_code,
    series_code,
    kind,
    name_vi,
    name_en,
    province_code,
    commune_code as unit_code,
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
    plan_version
from {{ ref('stg_indicator__published_value') }}
where is_elsewhere
