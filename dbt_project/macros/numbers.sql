{# The plain spelling of a number written the Vietnamese way (1.234.567,89) or the plain way (1234567.89).

A comma is the decimal sign. Without one, dots are thousands when three digits follow the last of them. #}
{% macro plain_spelling(value) -%}
    case
        when strpos({{ value }}, ',') > 0 then replace(replace({{ value }}, '.', ''), ',', '.')
        when strpos({{ value }}, '.') > 0 and substr({{ value }}, length({{ value }}) - 3, 1) = '.'
            then replace({{ value }}, '.', '')
        else {{ value }}
    end
{%- endmacro %}

{# A number, or null when the text is none. #}
{% macro to_number(value) -%}
    {%- set plain = plain_spelling(value) -%}
    case
        when {{ is_digits(value) }} then cast({{ value }} as numeric)
        when pg_input_is_valid({{ plain }}, 'numeric') then cast({{ plain }} as numeric)
    end
{%- endmacro %}

{# A whole number of digits only, or null. #}
{% macro to_integer(value) -%}
    case when {{ is_digits(value) }} and length({{ value }}) < 10 then cast({{ value }} as integer) end
{%- endmacro %}
