{# The published measures of dossiers, the same in every dataset about them. Press formulas: online is filed online,
on time is settled by the promised time. `counted` holds the four sums and the keys of their noise. #}
{% macro dossier_draws(row) -%}
    {%- for count in ['received', 'received_online', 'settled', 'settled_on_time'] %}
    {{ cell_key(row ~ '.' ~ count ~ '_draw') }} as {{ count }}_draw{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# A select from `counted`: the four counts as they may be published. #}
{% macro dossier_counts_protected() -%}
    select
        *
        {%- for count in ['received', 'received_online', 'settled', 'settled_on_time'] %},
        {{ publishable(count, count ~ '_draw') }} as {{ count }}_shown
        {%- endfor %}
    from counted
{%- endmacro %}

{# From `protected`. Of a whole that is withheld no part is shown, and no part is larger than its whole: both carry
noise of their own. A share is that of the two published numbers. #}
{% macro dossier_measures() -%}
    {%- for part, whole, share in [
        ('received_online', 'received', 'online_share'), ('settled_on_time', 'settled', 'on_time_share'),
    ] -%}
    {%- set shown = "least(protected." ~ part ~ "_shown, protected." ~ whole ~ "_shown)" -%}
    {%- set shown = "case when protected." ~ whole ~ "_shown is not null and protected." ~ part ~ "_shown is not null then "
        ~ shown ~ " end" %}
    cast(protected.{{ whole }}_shown as integer) as {{ whole }},
    protected.{{ whole }}_shown is null as {{ whole }}_suppressed,
    cast({{ shown }} as integer) as {{ part }},
    {{ shown }} is null as {{ part }}_suppressed,
    cast({{ rate(shown, "protected." ~ whole ~ "_shown") }} as numeric(5, 2)) as {{ share }}
    {{- "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Whether a component of the dossier (TaiLieuNop) that was not deleted has this field set: a flag "1", or a link. #}
{% macro any_document(documents, field) -%}
    coalesce(jsonb_path_exists(
        {{ documents }},
        '$[*] ? (!(@.IsDeleted == "1")).{{ field }} ? (@ != null && @ != "" && @ != "0")'
    ), false)
{%- endmacro %}

{# Key of a dossier in the marts: the same in every rebuild, and keyed, since a code can be known or guessed (agency, day,
number) and its row names a person by pseudonym. #}
{% macro dossier_key(code) -%}
    {{ pseudonym('dossier', code) }}
{%- endmacro %}
