{# Numbers with which a form was filled because it wanted one: a single digit over and over, or one of the list. #}
{% macro is_filler(id) -%}
    (translate({{ id }}, left({{ id }}, 1), '') = '' or {{ id }} in (select identifier from {{ ref('filler_identifier') }}))
{%- endmacro %}

{# The personal id that may stand for somebody: well-shaped (the base models see to that), no filler, born by today. #}
{% macro usable_number(id) -%}
    case when {{ id_birth_year(id) }} <= extract(year from {{ as_of() }}) and not {{ is_filler(id) }} then {{ id }} end
{%- endmacro %}

{# Chứng minh nhân dân: nine digits, whose successor only the resident register knows. #}
{% macro usable_card(id) -%}
    case when length({{ id }}) = 9 and {{ is_digits(id) }} and not {{ is_filler(id) }} then {{ id }} end
{%- endmacro %}

{# Of the values in a group that whose register ranks first; among equals the smallest. Values are whole numbers from 0 to
9,999. #}
{% macro by_authority(value, rank) -%}
    min({{ rank }} * 10000 + {{ value }})
{%- endmacro %}

{# The last day on which a record shows a person acting: infinity is the day of the build. #}
{% macro acted_until(active_on) -%}
    case when {{ active_on }} = 'infinity' then {{ as_of() }} else {{ active_on }} end
{%- endmacro %}

{# People as the marts show them, before years of birth that too few share are withheld: the CTE `banded`. Of those whom
`kept` keeps: one more condition on `person`. `crowd_key` is null where nothing is known of the year. #}
{% macro people_in_bands(kept='') -%}
people as (
    select
        person.person_key,
        case person.sex when 1 then 'male' when 2 then 'female' else 'unknown' end as sex,
        person.birth_year / 10 * 10 as decade,
        -- A departure that the register's status does not know of yet.
        case
            when person.residence_status = 'resident' and home.record_id is null then 'moved_out'
            else person.residence_status
        end as residence_status,
        home.commune_key,
        home.household_key
    from {{ ref('int_person__person') }} as person
    left join {{ ref('int_population__home') }} as home
        on person.resident_record_id = home.record_id and person.residence_status = 'resident'
    where true{{ kept }}
),

banded as (
    select
        *,
        coalesce(commune_key, '') || '|' || sex || '|' || residence_status || '|' || birth_year_band as crowd_key
    from people
    cross join lateral (
        select case when decade < 1940 then '..1939' else decade || '-' || decade + 9 end as birth_year_band
    ) as band
)
{%- endmacro %}
