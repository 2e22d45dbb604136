{# The published measures of dossiers, the same in every dataset about them. Press formulas: online is filed online,
on time is settled by the promised time. `counted` holds the four sums. #}
{% macro dossier_measures() -%}
    {%- for part, whole, share in [
        (none, 'received', none), ('received_online', 'received', 'online_share'),
        (none, 'settled', none), ('settled_on_time', 'settled', 'on_time_share'),
    ] -%}
    {%- set count = "counted." ~ (part or whole) %}
    cast({{ publishable(count) }} as integer) as {{ part or whole }},
    {{ suppressed(count) }} as {{ part or whole }}_suppressed
    {%- if share %},
    cast({{ publishable_share(count, "counted." ~ whole) }} as numeric(5, 2)) as {{ share }}
    {%- endif %}
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
