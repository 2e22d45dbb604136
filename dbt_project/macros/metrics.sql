{# The only division of a numerator by a denominator: the function is in khochung/sql/metrics.sql. `factor` is 100 for
percent, 1000 for per mille. #}
{% macro rate(numerator, denominator, factor=100) -%}
    kpi.rate({{ numerator }}, {{ denominator }}, {{ factor }})
{%- endmacro %}

{# What the counts of dossiers of a row give to each metric version: rows (metric_code, metric_version, accrual, numerator,
denominator) for a lateral join. Every rule is a sum, so a day, a month or a year of counts will do. accrual: `sum`, of what
lies in the period; `running`, of all up to its end. The letter of 2.1 is both: what has no end yet is measured as if it
ended with the period. #}
{% macro dossier_metrics() -%}
values
('dossiers_received', 'press', 'sum', received, null),
('dossiers_settled', 'press', 'sum', settled, null),
('dossiers_in_progress', 'press', 'running', received + handed_in - settled - handed_out, null),
('dossiers_overdue', 'press', 'running', overdue_change, received + handed_in - settled - handed_out),
('dossiers_online', 'press', 'sum', received_online, received),
('dossiers_online', 'strict', 'sum', received_online_strict, received),
('dossiers_on_time', 'press', 'sum', settled_on_time, settled),
('dossiers_on_time', 'strict', 'sum', settled_on_time_strict, settled),
(
    'dossiers_on_time', 'strict', 'running',
    received + handed_in - settled - handed_out - overdue_change_strict,
    received + handed_in - settled - handed_out
),
('handling_working_days', 'press', 'sum', working_days, handled_in_working_days),
('handling_days', 'press', 'sum', calendar_days, handled_in_days),
('handling_hours', 'press', 'sum', hours, handled_in_hours),
('dossiers_paid_online', 'strict', 'sum', paid_online, owing_fee),
('electronic_results', 'press', 'sum', with_electronic_result, with_result),
('electronic_results', 'strict', 'sum', with_paper_and_electronic_result, with_paper_result),
('dossiers_digitised', 'press', 'sum', digitised, received),
('dossiers_digitised', 'strict', 'sum', digitised_strict, received),
('dossiers_reusing', 'press', 'sum', with_digitised_component, received),
('dossiers_reusing', 'strict', 'sum', with_reused_component, received),
('dossiers_sharing', 'strict', 'sum', shared, received),
('dossiers_with_population_data', 'strict', 'sum', with_population_data, received)
{%- endmacro %}

{# The month of a day in the series; what came before it and runs on is brought in at -infinity. #}
{% macro series_month(day) -%}
    case
        when {{ day }} < date '{{ var("first_month") }}' then cast('-infinity' as date)
        else cast(date_trunc('month', {{ day }}) as date)
    end
{%- endmacro %}

{# Columns of fct_dossier_day that the metrics are made of. #}
{% macro dossier_counts() -%}
    {{ return([
        'received', 'received_online', 'received_online_strict', 'digitised', 'digitised_strict',
        'with_digitised_component', 'with_reused_component', 'shared', 'with_population_data', 'owing_fee',
        'paid_online', 'with_result', 'with_electronic_result', 'with_paper_result',
        'with_paper_and_electronic_result', 'handled_in_working_days', 'working_days', 'handled_in_days',
        'calendar_days', 'handled_in_hours', 'hours', 'settled', 'settled_early', 'settled_on_time',
        'settled_on_time_strict', 'handed_in', 'handed_out', 'overdue_change', 'overdue_change_strict',
    ]) }}
{%- endmacro %}

{# The end of a model that counts for the yearbook: what its CTE `counted` gives to a commune in a month, on both sides. #}
{% macro yearbook_sums() -%}
select
    metric_code,
    'yearbook' as metric_version,
    accrual,
    commune_key,
    present_commune_key,
    month_start,
    coalesce(sum(numerator), 0) as numerator,
    sum(denominator) as denominator
from counted
group by metric_code, accrual, commune_key, present_commune_key, month_start
{%- endmacro %}
