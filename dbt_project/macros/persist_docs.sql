{# dbt's own `persist_docs` asks the catalogue for the columns of each relation first, which takes longer than most builds
of these models. Here a column that is described must be there, so that one statement says it all. #}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set comments = [] -%}
    {%- if for_relation and model.description -%}
        {%- do comments.append("comment on " ~ relation.type ~ " " ~ relation ~ " is " ~ literal(model.description)) -%}
    {%- endif -%}
    {%- for column in model.columns.values() if for_columns and column.description -%}
        {%- do comments.append("comment on column " ~ relation ~ "." ~ adapter.quote(column.name) ~ " is " ~ literal(column.description)) -%}
    {%- endfor -%}
    {%- if comments -%}{%- do run_query(comments | join(";\n")) -%}{%- endif -%}
{%- endmacro %}

{% macro literal(text) -%}
    {{ return("'" ~ text | trim | replace("'", "''") ~ "'") }}
{%- endmacro %}
