{{ config(materialized='view') }}

-- What a commune adds to metrics in a month, of all sources that tell communes apart, one line per source.
{% for subject in ['population', 'business', 'land', 'insurance', 'civil', 'hotline', 'identity'] %}
select
    metric_code,
    metric_version,
    accrual,
    commune_key,
    present_commune_key,
    month_start,
    numerator,
    denominator
from {{ ref('int_kpi__' ~ subject) }}
{{ "union all" if not loop.last }}
{% endfor %}
