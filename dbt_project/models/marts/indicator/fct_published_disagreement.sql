-- Which published values cannot both be meant in the same words. `same moment`: one series, place and period, and two
-- values of which neither wording allows the other. `reviewed`: somebody has read both and says what differs. Both stay
-- as they are; which of them holds is not for the warehouse to say.
with found as (
    select
        one.value_code,
        other.value_code as other_code,
        'same moment' as rule
    from {{ ref('fct_published_value') }} as one
    inner join {{ ref('fct_published_value') }} as other
        on
            one.series_code = other.series_code
            and one.kind = other.kind
            and one.place_key = other.place_key
            and one.unit = other.unit
            and one.period_end = other.period_end
            and one.period_start is not distinct from other.period_start
            and one.value_code < other.value_code
            and one.value <> other.value
    where
        not (one.qualifier = 'over' and other.value > one.value)
        and not (other.qualifier = 'over' and one.value > other.value)
        and not (one.qualifier = 'nearly' and other.value < one.value)
        and not (other.qualifier = 'nearly' and one.value < other.value)
        and not ('about' in (one.qualifier, other.qualifier) and abs(one.value - other.value) <= 1)
),

reviewed as (
    select
        least(value_code, disagrees_with) as value_code,
        greatest(value_code, disagrees_with) as other_code,
        min(why_vi) as why_vi,
        min(why_en) as why_en
    from {{ ref('fct_published_value') }}
    where disagrees_with is not null
    group by 1, 2
)

select
    coalesce(found.value_code, reviewed.value_code) as value_code,
    coalesce(found.other_code, reviewed.other_code) as other_code,
    coalesce(found.rule, 'reviewed') as rule,
    reviewed.why_vi,
    reviewed.why_en
from found
full join reviewed on found.value_code = reviewed.value_code and found.other_code = reviewed.other_code
