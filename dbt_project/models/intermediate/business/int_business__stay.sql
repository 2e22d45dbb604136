-- Spells of enterprises cut where the commune changed, in whole months; see int_population__stay.
select
    spell.section,
    spell.legal_form,
    spell.state,
    step.commune_key,
    path.present_key as present_commune_key,
    case
        when greatest(coalesce(spell.started_on, '-infinity'), step.step_from) < date '{{ var("first_month") }}'
            then {{ opening_month() }}
        else {{ month_number("greatest(spell.started_on, step.step_from)") }}
    end as from_month,
    case
        when least(coalesce(spell.ended_on, 'infinity'), step.step_to + 1) < 'infinity'
            then {{ month_number("least(coalesce(spell.ended_on, 'infinity'), step.step_to + 1)") }}
    end as until_month
from {{ ref('int_business__spell') }} as spell
{{ join_path('spell.commune_key', 'spell.known_present_key', 'spell.enterprise_code') }}
inner join {{ ref('int_territory__path_step') }} as step
    on path.origin_key = step.origin_key and path.path_no = step.path_no
    and coalesce(spell.started_on, '-infinity') <= step.step_to
    and coalesce(spell.ended_on, 'infinity') > step.step_from
where coalesce(spell.ended_on, 'infinity') >= date '{{ var("first_month") }}'
