{# History as the present communes have it. Nothing else in this project restates, and a test says so.

A column of a fact says in its YAML what it measures (`config.meta.measure`), and that decides what may be done with it:
count, amount   added up; where only a share is known, by the share of people
area            added up; where only a share is known, by the share of land
rate            worked out anew from `numerator` and `denominator` (columns of the same fact) times `per`, 1 by default
index, distinct, median   refused: no weight makes them right
dimension       a number that is not added up, such as a code or a sign

A fact whose records know their present commune (`present_commune_key`) is grouped by it and whole numbers stay whole.
Any other is multiplied by the weights of bridge_administrative_unit, which are exact: nothing is lost by rounding.

dbt shows a unit test nothing of the project: that of a model that restates says itself what is measured,
`overrides: {macros: {measures_of: {present_commune_key: {}, residents: {measure: count}}}}`. #}

{# A whole `select`: one row per present commune (`commune_key`) and combination of `by`. #}
{% macro restate(fact, by, measures) -%}
    {%- set kinds = measures_of(fact) -%}
    {{ restated_rows(
        ref(fact), by, restatable(fact, measures, kinds), 'present_commune_key' in kinds
    ) }}
{%- endmacro %}

{# The same over rows whose measures are known: `kinds` as `restatable` gives them, `is_placed` when the rows know their
present commune. #}
{% macro restated_rows(rows, by, kinds, is_placed) -%}
    select
        {{ 'fact.present_commune_key' if is_placed else 'bridge.present_commune_key' }} as commune_key,
        {%- for column in by %}
        fact.{{ column }},
        {%- endfor %}
        {%- for column, kind in kinds.items() %}
        {{ restated(kind, is_placed) }} as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ rows }} as fact
    {%- if not is_placed %}
    inner join {{ ref('bridge_administrative_unit') }} as bridge on fact.commune_key = bridge.commune_key
    {%- endif %}
    group by
        {{ 'fact.present_commune_key' if is_placed else 'bridge.present_commune_key' }}
        {%- for column in by %}, fact.{{ column }}{% endfor %}
{%- endmacro %}

{# One measure of a group of rows. #}
{% macro restated(kind, is_placed) -%}
    {%- if kind.measure == 'rate' -%}
        {{ kind.per }} * {{ restated(kind.numerator, is_placed) }} / nullif({{ restated(kind.denominator, is_placed) }}, 0)
    {%- elif is_placed -%}
        sum(fact.{{ kind.column }})
    {%- else -%}
        sum(fact.{{ kind.column }} * bridge.weight_{{ 'area' if kind.measure == 'area' else 'population' }})
    {%- endif -%}
{%- endmacro %}

{# Column -> what its YAML says of it, `none` where it says nothing; {} while dbt parses. #}
{% macro measures_of(fact) -%}
    {%- set found = {} -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == fact -%}
            {%- for column in node.columns.values() -%}
                {%- do found.update({column.name: column.config.meta or column.meta or {}}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}

{# Column -> {measure, column, …} for the wanted ones. Stops the build at what cannot be restated, and says why. #}
{% macro restatable(fact, measures, kinds) -%}
    {%- set found, refused = {}, [] -%}
    {%- for column in measures -%}
        {%- set meta = kinds.get(column, {}) -%}
        {%- set measure = meta.get('measure') if execute else 'count' -%}
        {%- if measure == 'rate' -%}
            {%- set parts = restatable(fact, [meta.numerator, meta.denominator], kinds) -%}
            {%- do found.update({column: {
                'measure': 'rate',
                'per': meta.get('per', 1),
                'numerator': parts[meta.numerator],
                'denominator': parts[meta.denominator],
            }}) -%}
        {%- elif measure in ('count', 'amount', 'area') -%}
            {%- do found.update({column: {'measure': measure, 'column': column}}) -%}
        {%- else -%}
            {%- do refused.append(fact ~ '.' ~ column ~ ': ' ~ why_not(measure)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if refused -%}
        {{ exceptions.raise_compiler_error("cannot be restated to other communes:\n" ~ refused | join('\n')) }}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}

{% macro why_not(measure) -%}
    {{ return({
        'index': "an index is published as it is; a mean of indices is nobody's index",
        'distinct': 'whoever is counted in two communes is one person in their union; count anew from the records',
        'median': 'a median of parts is not the median of the whole; work it out from the records',
        'dimension': 'it is not a quantity that is added up',
    }.get(measure, 'its YAML does not say what it measures: give it config.meta.measure, see macros/restate.sql')) }}
{%- endmacro %}

{# A whole `select`: the sums of `rows` in each combination of `by`. #}
{% macro totals_by(rows, by, sums) -%}
    select
        {%- for column in by %}
        {{ column }},
        {%- endfor %}
        {%- for column in sums %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ rows }}
    group by {{ by | join(', ') if by else '()' }}
{%- endmacro %}

{# As many before as after, in each period; no record in a commune that its own never became; and restating what is
restated changes nothing. Every fact with a commune has this test: its measures are those of its YAML, its periods the
columns that are dates. #}
{% test restated_alike(model) %}
{%- set kinds = measures_of(model.identifier) -%}
{%- set wanted, periods, sums = [], [], [] -%}
{%- if execute -%}
    {%- for column, meta in kinds.items() -%}
        {%- if meta.measure in ('count', 'amount', 'area', 'rate') -%}{%- do wanted.append(column) -%}{%- endif -%}
        {%- if meta.measure in ('count', 'amount', 'area') -%}{%- do sums.append(column) -%}{%- endif -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == model.identifier -%}
        {%- for column in node.columns.values() if column.data_type == 'date' -%}{%- do periods.append(column.name) -%}{%- endfor -%}
    {%- endfor -%}
    {%- if not sums -%}
        {{ exceptions.raise_compiler_error(model.identifier ~ " has no column with config.meta.measure: nothing to compare") }}
    {%- endif -%}
{%- endif -%}
{%- set known = restatable(model.identifier, wanted, kinds) -%}
with recorded as (
    {{ totals_by(model, periods, sums) }}
),

once as (
    {{ restated_rows(model, periods, known, 'present_commune_key' in kinds) }}
),

twice as (
    {{ restated_rows('once', periods, known, false) }}
),

totals as (
    {{ totals_by('once', periods, sums) }}
)

select 'total' as lost
from (
    (select * from recorded except select * from totals)
    union all
    (select * from totals except select * from recorded)
) as unequal

{%- if 'present_commune_key' in kinds %}

union all

select 'way' as lost
from {{ model }} as fact
left join {{ ref('bridge_administrative_unit') }} as bridge
    on fact.commune_key = bridge.commune_key and fact.present_commune_key = bridge.present_commune_key
where bridge.commune_key is null
{%- endif %}

union all

select 'twice' as lost
from (
    (select * from once except select * from twice)
    union all
    (select * from twice except select * from once)
) as unequal
{% endtest %}
