{# Spells on a path (the CTE `spells`: origin_key, path_no, from_month, until_month, dimensions and measures) cut where
the commune changed, and summed. #}
{% macro stays_on_paths(dimensions, measures) -%}
{%- set place = ['commune_key', 'present_commune_key'] + dimensions -%}
, cut as (
    select
        step.commune_key,
        path.present_key as present_commune_key,
        {%- for name in dimensions + measures %}
        spells.{{ name }},
        {%- endfor %}
        case
            when step.step_from < date '{{ var("first_month") }}' then spells.from_month
            else greatest(spells.from_month, {{ month_number('step.step_from') }})
        end as from_month,
        case
            when step.step_to = 'infinity' then spells.until_month
            else least(spells.until_month, {{ month_number('(step.step_to + 1)') }})
        end as until_month
    from spells
    inner join {{ ref('int_territory__path') }} as path
        on spells.origin_key = path.origin_key and spells.path_no = path.path_no
    inner join {{ ref('int_territory__path_step') }} as step
        on spells.origin_key = step.origin_key and spells.path_no = step.path_no
)

select
    {{ place | join(',\n    ') }},
    from_month,
    until_month,
    {%- for name in measures %}
    sum({{ name }}) as {{ name }}{{ "," if not loop.last }}
    {%- endfor %}
from cut
where from_month < coalesce(until_month, from_month + 1)
group by {{ place | join(', ') }}, from_month, until_month
{%- endmacro %}

{# The stock at every month-end on which the commune was in force: what began up to it less what ended, by running sums. A
list of CTEs that ends in `stock` and may follow others; `stays` has commune_key, present_commune_key, from_month,
until_month, dimensions and measures. #}
{% macro stock_by_month(stays, dimensions, measures) -%}
{%- set cell = ['commune_key', 'present_commune_key'] + dimensions -%}
changes as (
    select
        {{ cell | join(',\n        ') }},
        point.month_no,
        {%- for name in measures %}
        sum(point.sign * {{ name }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ stays }} as stay
    cross join lateral (values (stay.from_month, 1), (stay.until_month, -1)) as point (month_no, sign)
    where point.month_no <= {{ last_month() }}
    group by {{ cell | join(', ') }}, point.month_no
),

spine as (
    select
        cells.*,
        month.month_no
    from (select distinct {{ cell | join(', ') }} from changes) as cells
    inner join {{ ref('dim_administrative_unit') }} as unit on cells.commune_key = unit.commune_key
    cross join lateral generate_series(
        greatest({{ opening_month() }}, {{ month_number('unit.valid_from') }}),
        least({{ last_month() }}, {{ month_number("(unit.valid_to + 1)") }} - 1)
    ) as month (month_no)
),

stock as (
    select
        {{ cell | join(',\n        ') }},
        month_no,
        {%- for name in measures %}
        sum(coalesce(changes.{{ name }}, 0)) over (
            partition by {{ cell | join(', ') }} order by month_no
        ) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from spine
    left join changes using ({{ cell | join(', ') }}, month_no)
)
{%- endmacro %}
