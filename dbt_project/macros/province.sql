{# What the province that is served gives (provinces/, khochung/province.py): its `code`, the codes of the former provinces
by the `prefixes` of their agencies, and the `meridians` of its maps. #}
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
