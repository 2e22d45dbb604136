{# The columns together identify a row. #}
{% test unique_combination(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# A published count is at or above the threshold, and null exactly where its flag says so. #}
{% test suppressed_below_threshold(model, measure) %}
select *
from {{ model }}
where
    {{ measure }} < {{ var('disclosure_threshold') }}
    or ({{ measure }} is null) <> {{ measure }}_suppressed
    or {{ measure }}_suppressed is null
{% endtest %}

{# A published value is null exactly where its flag says so. #}
{% test withheld_as_flagged(model, measure) %}
select *
from {{ model }}
where ({{ measure }} is null) <> {{ measure }}_suppressed or {{ measure }}_suppressed is null
{% endtest %}

{# Of a record that names a person: either somebody is meant, or it is said why nobody is. #}
{% test says_why_nobody_is_meant(model) %}
select *
from {{ model }}
where
    (person_key is null) <> (reason is not null)
    or (method = 'none') <> (reason is not null)
    or (confidence = 'none') <> (reason is not null)
{% endtest %}

{# What a generic test reads: of a model that follows, only what has changed since the last good build, which has judged the
rest by the same code; a full refresh judges all of it. Only where a row is judged by itself: its values, the uniqueness of
its own key, and its reference to a model that follows too (then also the rows that refer to what has changed there). #}
{% macro get_where_subquery(relation) -%}
    {%- set conditions = [config.get('where', ''), not_judged_yet(relation) | trim] | select | list -%}
    {%- if not conditions -%}{{ return(relation) }}{%- endif -%}
    {{ return("(select * from " ~ relation ~ " where (" ~ conditions | join(") and (") ~ ")) as judged") }}
{%- endmacro %}

{% macro not_judged_yet(relation) -%}
    {%- set judged = follower(relation.identifier) if execute and of_build('loads_seen') | int >= 0 and not flags.FULL_REFRESH -%}
    {%- if judged -%}
        {%- set test, key = model.test_metadata, judged.config.unique_key -%}
        {%- set own = "cast(" ~ key ~ " as text) in (" ~ changed(judged.name, key) ~ ")" -%}
        {%- if test.name in ('not_null', 'accepted_values', 'says_why_nobody_is_meant') -%}
            {{ own }}
        {%- elif test.name in ('unique', 'unique_combination') and key in test.kwargs.get('columns', [model.column_name]) -%}
            {{ own }}
        {%- elif test.name == 'relationships' -%}
            {%- set parent = follower(test.kwargs.to.split("'")[1]) -%}
            {%- if parent and parent.config.unique_key == test.kwargs.field -%}
                {{ own }} or cast({{ model.column_name }} as text) in ({{ changed(parent.name, test.kwargs.field) }})
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# The model of this name, when it is one that follows. #}
{% macro follower(name) -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == name and node.config.get('incremental_strategy') == 'differences' -%}
        {{ return(node) }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
