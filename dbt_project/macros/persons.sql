{# Numbers with which a form was filled because it wanted one: a single digit over and over, or one of the list. #}
{% macro is_filler(id) -%}
    (translate({{ id }}, left({{ id }}, 1), '') = '' or {{ id }} in (select identifier from {{ ref('filler_identifier') }}))
{%- endmacro %}

{# The personal id that may stand for somebody: well-shaped (the base models see to that), no filler, born by today. #}
{% macro usable_number(id) -%}
    case when {{ id_birth_year(id) }} <= extract(year from {{ as_of() }}) and not {{ is_filler(id) }} then {{ id }} end
{%- endmacro %}

{# Chứng minh nhân dân: nine digits, whose successor only the resident register knows. #}
{% macro usable_card(id) -%}
    case when length({{ id }}) = 9 and {{ is_digits(id) }} and not {{ is_filler(id) }} then {{ id }} end
{%- endmacro %}

{# Of the values in a group that whose register ranks first; among equals the smallest. Values are whole numbers from 0 to
9,999. #}
{% macro by_authority(value, rank) -%}
    min({{ rank }} * 10000 + {{ value }})
{%- endmacro %}
