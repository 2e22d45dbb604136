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

{# Of a record that names a person: either somebody is meant, or it is said why nobody is. #}
{% test says_why_nobody_is_meant(model) %}
select *
from {{ model }}
where
    (person_key is null) <> (reason is not null)
    or (method = 'none') <> (reason is not null)
    or (confidence = 'none') <> (reason is not null)
{% endtest %}
