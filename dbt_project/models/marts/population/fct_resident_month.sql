-- Stock by change points: +1 in the month a person enters a cell (commune, present commune, sex, age band), −1 in the
-- month they leave it, and a running sum. People whose cells begin and end in the same months, as most do, are counted
-- together first: the work grows with their kinds, not with persons × months.
with stays as (
    select
        commune_key,
        present_commune_key,
        sex,
        birth_month,
        draw,
        from_month,
        coalesce(until_month, {{ last_month() }} + 1) as left_month
    from {{ ref('int_population__stay') }}
),

-- A person is in band n from the month in which they complete 5 n years; at month-end everybody born in a month has
-- had that birthday. The birthday counts only where a stay reaches from one band into the next.
aged as (
    select
        *,
        case when last_band > first_band then birth_month + 60 * (first_band + 1) end as birthday_month
    from (
        select
            *,
            coalesce(least(greatest((from_month - birth_month) / 60, 0), 16), -1) as first_band,
            coalesce(least(greatest((left_month - 1 - birth_month) / 60, 0), 16), -1) as last_band
        from stays
        where from_month < left_month
    ) as banded
),

kinds as (
    select
        commune_key,
        present_commune_key,
        sex,
        from_month,
        left_month,
        first_band,
        last_band,
        birthday_month,
        count(*) as residents,
        sum(draw) as draws
    from aged
    group by
        commune_key, present_commune_key, sex, from_month, left_month, first_band, last_band, birthday_month
),

bands as (
    select
        kinds.commune_key,
        kinds.present_commune_key,
        kinds.sex,
        kinds.residents,
        kinds.draws,
        band.band_no,
        case
            when band.band_no = kinds.first_band then kinds.from_month
            else kinds.birthday_month + 60 * (band.band_no - kinds.first_band - 1)
        end as from_month,
        case
            when band.band_no = kinds.last_band then kinds.left_month
            else kinds.birthday_month + 60 * (band.band_no - kinds.first_band)
        end as until_month
    from kinds
    cross join lateral generate_series(kinds.first_band, kinds.last_band) as band (band_no)
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
