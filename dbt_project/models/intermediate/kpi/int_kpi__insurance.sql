-- What a commune adds to the coverage of insurance in a month. The people below the line are residents of the register,
-- and only where the office has counted: a month without its form is no coverage of nought.
with insured as (
    select
        insured.month_start,
        insured.commune_key,
        bridge.present_commune_key,
        insured.health_cards * bridge.weight_population as health_cards,
        insured.social_insurance * bridge.weight_population as social_insurance
    from {{ ref('fct_insurance_month') }} as insured
    inner join {{ ref('bridge_administrative_unit') }} as bridge on insured.commune_key = bridge.commune_key
),

residents as (
    select
        told.month_start,
        stock.commune_key,
        stock.present_commune_key,
        sum(stock.residents) as residents,
        sum(stock.residents) filter (where stock.age_band between '15' and '64-99') as of_working_age
    from {{ ref('fct_resident_month') }} as stock
    inner join {{ ref('fct_insurance_month') }} as told
        on
            stock.commune_key = told.commune_key
            and cast(date_trunc('month', stock.month_end) as date) = told.month_start
    group by told.month_start, stock.commune_key, stock.present_commune_key
),

counted as (
    select
        insured.month_start,
        insured.commune_key,
        insured.present_commune_key,
        metric.*
    from insured
    cross join lateral (
        values
        ('health_cards', 'last', health_cards, null),
        ('social_insurance_participants', 'last', social_insurance, null),
        ('health_insurance_coverage', 'last', health_cards, 0),
        ('social_insurance_coverage', 'last', social_insurance, 0)
    ) as metric (metric_code, accrual, numerator, denominator)

    union all

    select
        residents.month_start,
        residents.commune_key,
        residents.present_commune_key,
        metric.*
    from residents
    cross join lateral (
        values
        ('health_insurance_coverage', 'last', 0, residents),
        ('social_insurance_coverage', 'last', 0, of_working_age)
    ) as metric (metric_code, accrual, numerator, denominator)
)

{{ yearbook_sums() }}
