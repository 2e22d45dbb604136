{# The one rule of disclosure inside SQL: a count below the threshold is null, and a flag says so.
Complementary suppression over all releases is done after this, at publication. #}
{% macro suppressed(count) -%}
    ({{ count }} < {{ var('disclosure_threshold') }})
{%- endmacro %}

{% macro publishable(count) -%}
    case when {{ count }} >= {{ var('disclosure_threshold') }} then {{ count }} end
{%- endmacro %}

{# A share in percent, two decimals; null when either part is not publishable. #}
{% macro publishable_share(part, whole) -%}
    {{ rate(publishable(part), publishable(whole)) }}
{%- endmacro %}
