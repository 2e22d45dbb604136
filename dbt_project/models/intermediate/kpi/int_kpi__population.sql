-- What a commune adds to the population metrics of the yearbook in a month. A rate over a year has the months lived by
-- its people below the line: a month-end's residents lived one each.
with residents as (
    select
        cast(date_trunc('month', month_end) as date) as month_start,
        commune_key,
        present_commune_key,
        sum(residents) as residents,
        sum(residents) filter (where sex = 'male') as males,
        sum(residents) filter (where sex = 'female') as females,
        sum(residents) filter (where age_band <> 'unknown') as of_known_age,
        sum(residents) filter (where age_band < '15') as young,
        sum(residents) filter (where age_band between '15' and '64-99') as of_working_age,
        sum(residents) filter (where age_band between '65' and '99') as old
    from {{ ref('fct_resident_month') }}
    group by month_end, commune_key, present_commune_key
),

events as (
    select
        month_start,
        commune_key,
        present_commune_key,
        sum(events) filter (where event_type = 'birth') as births,
        sum(events) filter (where event_type = 'death') as deaths,
        sum(direction * events) filter (where event_type in ('arrival', 'departure', 'move_in', 'move_out'))
            as net_migration
    from {{ ref('fct_population_event') }}
    where event_type in ('birth', 'death', 'arrival', 'departure', 'move_in', 'move_out')
    group by month_start, commune_key, present_commune_key
),

-- The sides of one rate come from different facts: they meet when they are added up.
counted as (
    select
        residents.month_start,
        residents.commune_key,
        residents.present_commune_key,
        metric.*
    from residents
    cross join lateral (
        values
        ('population', 'last', residents, null),
        ('population_density', 'last', residents, null),
        ('sex_ratio', 'last', males, females),
        ('age_0_14_share', 'last', young, of_known_age),
        ('age_15_64_share', 'last', of_working_age, of_known_age),
        ('age_65_share', 'last', old, of_known_age),
        ('dependency_ratio', 'last', coalesce(young, 0) + coalesce(old, 0), of_working_age),
        ('ageing_index', 'last', old, young),
        ('birth_rate', 'sum', 0, residents),
        ('death_rate', 'sum', 0, residents),
        ('natural_increase_rate', 'sum', 0, residents),
        ('net_migration_rate', 'sum', 0, residents),
        ('enterprises_per_1000', 'last', 0, residents)
    ) as metric (metric_code, accrual, numerator, denominator)

    union all

    select
        events.month_start,
        events.commune_key,
        events.present_commune_key,
        metric.*
    from events
    cross join lateral (
        values
        ('births', births, null),
        ('deaths', deaths, null),
        ('birth_rate', births, 0),
        ('death_rate', deaths, 0),
        ('natural_increase_rate', coalesce(births, 0) - coalesce(deaths, 0), 0),
        ('net_migration_rate', net_migration, 0)
    ) as sides (metric_code, numerator, denominator)
    cross join lateral (
        values (sides.metric_code, 'sum', sides.numerator, sides.denominator)
    ) as metric (metric_code, accrual, numerator, denominator)
)

{{ yearbook_sums() }}
