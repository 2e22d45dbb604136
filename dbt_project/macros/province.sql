{# What the province that is served gives (provinces/, khochung/province.py): the codes of the former provinces by the
`prefixes` of their agencies, and the `meridians` of its maps. #}
{% macro province() -%}
    {{ return(fromjson(env_var('KHOCHUNG_DBT_PROVINCE')) if execute else {'prefixes': {}, 'meridians': []}) }}
{%- endmacro %}

{# The former province, by its code, whose agencies had codes of this form until the reform. #}
{% macro former_province_of_agency(agency_code) -%}
    case split_part({{ agency_code }}, '.', 1)
        {%- for prefix, code in province().prefixes.items() %}
        when '{{ prefix }}' then '{{ code }}'
        {%- else %}
        when '' then ''
        {%- endfor %}
    end
{%- endmacro %}

{# True where a known central meridian, written 105-45, and a number of degrees from it make a meridian of the province. #}
{% macro is_meridian_of_province(meridian, is_known, degrees) -%}
    {%- set wanted = [] -%}
    {%- for name in province().meridians -%}{%- do wanted.append(name[:3] | int + name[-2:] | int / 60) -%}{%- endfor -%}
    case
        when {{ is_known }}
            then cast(left({{ meridian }}, 3) as integer) + cast(right({{ meridian }}, 2) as integer) / 60.0 + {{ degrees }}
                in ({{ (wanted or [0]) | join(", ") }})
        else false
    end
{%- endmacro %}
