{# An agency's code in the form of QĐ 20/2020 (H39.31.2), also where QCVN 102:2016 wrote it from the end: 000.02.31.H39. #}
{% macro agency_code(value) -%}
    case
        when {{ value }} ~ '^000[.][0-9]{2}[.][0-9]{2}[.]H[0-9]{2}$'
            then concat_ws(
                '.', split_part({{ value }}, '.', 4), nullif(ltrim(split_part({{ value }}, '.', 3), '0'), ''),
                nullif(ltrim(split_part({{ value }}, '.', 2), '0'), '')
            )
        else {{ value }}
    end
{%- endmacro %}
