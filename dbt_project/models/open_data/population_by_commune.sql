-- Every commune has every group, also one in which nobody is: a row that is not there would tell that it is nobody.
with stock as (
    select
        month_end,
        commune_key,
        sex,
        age_band,
        residents,
        residents_draw
    from {{ ref('fct_resident_month') }}
    where
        month_end >= date '{{ var("two_level_from") }}'
        and sex in ('male', 'female')
        and age_band <> 'unknown'
),

months as (
    select distinct month_end from stock
),

kinds as (
    select distinct
        sex,
        age_band
    from stock
),

spine as (
    select
        months.month_end,
        unit.commune_key,
        unit.unit_code as commune_code,
        unit.unit_name as commune_name,
        kinds.sex,
        kinds.age_band
    from {{ ref('dim_administrative_unit') }} as unit
    cross join months
    cross join kinds
    where unit.is_present and unit.level_code = 'XA'
),

protected as (
    select
        spine.month_end,
        spine.commune_code,
        spine.commune_name,
        spine.sex,
        spine.age_band,
        {{ publishable('coalesce(stock.residents, 0)', 'stock.residents_draw') }} as residents
    from spine
    left join stock
        on
            spine.month_end = stock.month_end
            and spine.commune_key = stock.commune_key
            and spine.sex = stock.sex
            and spine.age_band = stock.age_band
)

select
    month_end,
    commune_code,
    commune_name,
    sex,
    age_band,
    residents,
    residents is null as residents_suppressed
from protected
