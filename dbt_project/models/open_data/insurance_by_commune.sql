-- Coverage is over the people of dan-so-theo-xa: residents of the register whose sex and age are known.
with residents as (
    select
        month_end,
        commune_key,
        sum(residents) as residents,
        {{ cell_key('residents_draw') }} as residents_draw
    from {{ ref('fct_resident_month') }}
    where sex in ('male', 'female') and age_band <> 'unknown'
    group by month_end, commune_key
),

protected as (
    select
        residents.month_end,
        unit.unit_code as commune_code,
        unit.unit_name as commune_name,
        {{ publishable('insured.health_cards', 'insured.health_cards_draw') }} as health_cards,
        {{ publishable('insured.social_insurance', 'insured.social_insurance_draw') }} as social_insurance,
        {{ publishable('residents.residents', 'residents.residents_draw') }} as residents
    from {{ ref('fct_insurance_month') }} as insured
    inner join {{ ref('dim_administrative_unit') }} as unit on insured.commune_key = unit.commune_key
    inner join residents
        on
            insured.commune_key = residents.commune_key
            and insured.month_start = cast(date_trunc('month', residents.month_end) as date)
    where residents.month_end >= date '{{ var("two_level_from") }}' and unit.is_present
)

select
    month_end,
    commune_code,
    commune_name,
    cast(health_cards as integer) as health_cards,
    health_cards is null as health_cards_suppressed,
    cast(social_insurance as integer) as social_insurance,
    social_insurance is null as social_insurance_suppressed,
    cast(residents as integer) as residents,
    residents is null as residents_suppressed,
    cast({{ rate('health_cards', 'residents') }} as numeric(18, 2)) as health_coverage
from protected
