{{ config(materialized='view') }}

-- What each day adds to the metrics of the later sources, one line per source. A row is of an agency, or of an area
-- that its former province names, or, with neither, of all the province.
{% for subject in ['hotline', 'documents', 'identity', 'payments', 'digital', 'finance'] %}
select
    metric_code,
    metric_version,
    accrual,
    agency_key,
    former_province,
    day,
    numerator,
    denominator
from {{ ref('int_kpi__' ~ subject ~ '_day') }}
{{ "union all" if not loop.last }}
{% endfor %}
