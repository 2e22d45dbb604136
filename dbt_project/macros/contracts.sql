{# Source contracts as dbt has read them: one entry per table with its columns and their privacy classes. The fixed list
keeps refs static, so that dbt knows the order of models; a test compares it with the contracts. #}
{% macro contract_tables() -%}
    {%- set tables = [
        ('admin', 'unit'), ('admin', 'unit_change'),
        ('business', 'place'), ('business', 'enterprise'), ('business', 'enterprise_event'),
        ('business', 'household_business'),
        ('land', 'parcel'), ('land', 'parcel_use'), ('land', 'land_right'),
        ('population', 'resident'), ('population', 'event'),
        ('procedures', 'agency'), ('procedures', 'procedure'), ('procedures', 'dossier'),
    ] -%}
    {%- set found = [] -%}
    {%- for source_name, table_name in tables -%}
        {%- do found.append({'source': source_name, 'name': table_name, 'columns': contract_privacy(source_name, table_name)}) -%}
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
