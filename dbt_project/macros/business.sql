{# Keys of businesses: hashes of what the register calls them. A household business is its location: since 1/7/2025 its number
is its owner's personal id, so that one number may stand for several of them, and may not be shown. #}
{% macro business_key(kind, code) -%}
    cast(md5('{{ kind }} ' || {{ code }}) as uuid)
{%- endmacro %}
