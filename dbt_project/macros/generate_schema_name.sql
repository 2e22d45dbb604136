{# Schemas are exactly the layers of the warehouse, whatever the target: roles and grants are tied to their names. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
