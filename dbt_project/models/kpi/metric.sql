select
    metric_code,
    metric_version,
    kind,
    indicator,
    name_vi,
    name_en,
    formula,
    numerator,
    denominator,
    cast(factor as numeric(12, 0)) as factor,
    unit,
    status,
    missing,
    legal_source,
    valid_from,
    valid_to
from {{ ref('metric_definition') }}
