{# Every table of every source contract, with its columns and their privacy classes. The list comes from outside
(khochung.transform.environment): while dbt parses, when refs are found, it does not yet know its own sources. A test
compares the two. #}
{% macro contract_tables() -%}
    {%- set found = [] -%}
    {%- for name in env_var('KHOCHUNG_DBT_TABLES').split() -%}
        {%- set parts = name.split('.') -%}
        {%- do found.append({'source': parts[0], 'name': parts[-1], 'columns': contract_privacy(parts[0], parts[-1])}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{# Column -> privacy class of one table. #}
{% macro contract_privacy(source_name, table_name) -%}
    {%- set classes = {} -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.source_name == source_name and node.name == table_name -%}
            {%- for column in node.columns.values() -%}
                {%- do classes.update({column.name: (column.config.meta or column.meta).privacy}) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if not classes -%}
            {{ exceptions.raise_compiler_error("no contract for " ~ source_name ~ "." ~ table_name ~ ": see models/staging") }}
        {%- endif -%}
    {%- endif -%}
    {{ return(classes) }}
{%- endmacro %}

{# As much of a value as may be shown to the owner of the source: all of it where the contract says `none`; its shape
(# for a digit, x for a letter) where it is a quasi-identifier; only its length where it identifies or is sensitive. #}
{% macro mask_value(record, field, classes) -%}
    case
        when {{ field }} in ({{ quoted(classes, 'none') }}) then left({{ record }} ->> {{ field }}, 80)
        when {{ field }} in ({{ quoted(classes, 'quasi') }})
            then regexp_replace(regexp_replace(left({{ record }} ->> {{ field }}, 80), '[0-9]', '#', 'g'), '[[:alpha:]]', 'x', 'g')
        else length({{ record }} ->> {{ field }}) || ' ký tự'
    end
{%- endmacro %}

{% macro quoted(classes, wanted) -%}
    {%- set names = [''] -%}
    {%- for name, class in classes.items() if class == wanted -%}{%- do names.append(name) -%}{%- endfor -%}
    '{{ names | join("', '") }}'
{%- endmacro %}

{# The agency that owns a source, from its contract. #}
{% macro owner_agency(source_name) -%}
    {%- set owners = {} -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() -%}
            {%- set meta = node.source_meta or node.config.meta -%}
            {%- if meta.owner_agency -%}{%- do owners.update({node.source_name: meta.owner_agency}) -%}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    case {{ source_name }}
        {%- for name, owner in owners.items() %}
        when '{{ name }}' then '{{ owner }}'
        {%- else %}
        when '' then ''
        {%- endfor %}
    end
{%- endmacro %}
