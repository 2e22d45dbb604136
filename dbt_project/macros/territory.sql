{# A number in [0, 1) that belongs to a record for ever: where the present commune of a record is not known, it decides
between the receivers of a divided commune. #}
{% macro fixed_draw(record_key) -%}
    cast(cast('x' || substr(md5({{ record_key }}), 1, 7) as bit(28)) as integer) / 268435456.0
{%- endmacro %}

{# Joins the one path from `origin` to the present that a record took: to its known present commune where that is one of
the receivers, otherwise by its draw. #}
{% macro join_path(origin, known_present, record_key) -%}
    left join {{ ref('int_territory__path') }} as known_path
        on {{ origin }} = known_path.origin_key and {{ known_present }} = known_path.present_key
        and known_path.is_first_to_present
    inner join {{ ref('int_territory__path') }} as path
        on {{ origin }} = path.origin_key
        and case
            when known_path.path_no is not null then path.path_no = known_path.path_no
            when path.weight_population = 1 then true
            else {{ fixed_draw(record_key) }} >= path.low and {{ fixed_draw(record_key) }} < path.high
        end
{%- endmacro %}

{# What ends a spell of residence, by the event that follows it. A second arrival without a departure ends it too. #}
{% macro end_cause(event_type) -%}
    case {{ event_type }}
        when 'KT' then 'death'
        when 'DI' then 'departure'
        when 'NOI' then 'move_out'
        when 'KS' then 'register_exit'
        when 'DEN' then 'register_exit'
    end
{%- endmacro %}
