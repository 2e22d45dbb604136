-- By the communes of the reform only: the same people by two lists of communes could be subtracted.
with protected as (
    select
        report.reported_on,
        unit.unit_code as commune_code,
        unit.unit_name as commune_name,
        {{ publishable('report.eligible', 'report.eligible_draw') }} as eligible,
        {{ publishable('report.level_2', 'report.level_2_draw') }} as level_2
    from {{ ref('fct_identity_report') }} as report
    inner join {{ ref('dim_administrative_unit') }} as unit on report.commune_key = unit.commune_key
    where report.reported_on >= date '{{ var("two_level_from") }}' and unit.is_present
),

-- A part carries noise of its own: it is not larger than its whole, and of a withheld whole none is shown.
bounded as (
    select
        *,
        case when eligible is not null and level_2 is not null then least(level_2, eligible) end as level_2_bounded
    from protected
)

select
    reported_on,
    commune_code,
    commune_name,
    cast(eligible as integer) as eligible,
    eligible is null as eligible_suppressed,
    cast(level_2_bounded as integer) as level_2,
    level_2_bounded is null as level_2_suppressed,
    cast({{ rate('level_2_bounded', 'eligible') }} as numeric(5, 2)) as level_2_share
from bounded
