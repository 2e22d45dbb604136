-- Stock by change points: +1 in the month a person enters a cell (commune, present commune, sex, age band), −1 in the
-- month they leave it, and a running sum. People of one cell, age and stay, as most are, are counted together first:
-- the work grows with their kinds, not with persons × months.
with stays as (
    select
        commune_key,
        present_commune_key,
        sex,
        birth_month,
        from_month,
        coalesce(until_month, {{ last_month() }} + 1) as until_month,
        count(*) as residents,
        sum(draw) as draws
    from {{ ref('int_population__stay') }}
    group by commune_key, present_commune_key, sex, birth_month, from_month, until_month
),

-- A person is in band n from the month in which they complete 5 n years; at month-end everybody born in a month has
-- had that birthday.
bands as (
    select
        stays.commune_key,
        stays.present_commune_key,
        stays.sex,
        stays.residents,
        stays.draws,
        band.band_no,
        greatest(
            stays.from_month, case when band.band_no > 0 then stays.birth_month + 60 * band.band_no end
        ) as from_month,
        least(
            stays.until_month,
            case when band.band_no between 0 and 15 then stays.birth_month + 60 * (band.band_no + 1) end
        ) as until_month
    from stays
    cross join lateral generate_series(
        coalesce(least(greatest((stays.from_month - stays.birth_month) / 60, 0), 16), -1),
        coalesce(least(greatest((stays.until_month - 1 - stays.birth_month) / 60, 0), 16), -1)
    ) as band (band_no)
    where stays.from_month < stays.until_month
),

{{ stock_by_month('bands', dimensions=['sex', 'band_no'], measures=['residents', 'draws']) }}

select
    {{ month_end('month_no') }} as month_end,
    commune_key,
    present_commune_key,
    case
        when band_no = -1 then 'unknown'
        when band_no = 16 then '80+'
        else lpad(cast(band_no * 5 as text), 2, '0') || '-' || lpad(cast(band_no * 5 + 4 as text), 2, '0')
    end as age_band,
    sex,
    cast(residents as integer) as residents,
    cast(draws % 268435456 as integer) as residents_draw
from stock
