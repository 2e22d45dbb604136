-- The counts of fct_dossier_day over all fields, by month: what the metrics of months, quarters and years are made of.
select
    agency_key,
    {{ series_month('day') }} as month_start,
    {%- for column in dossier_counts() %}
    sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('fct_dossier_day') }}
group by 1, 2
