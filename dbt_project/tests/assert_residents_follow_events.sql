-- Whoever is counted at a month-end was there before or came by an event. If this fails, the two series that the public
-- sees, people and births and deaths, contradict each other.
{{ config(meta={'next_steps': 'Compare int_population__stay with both facts for the commune and month named.'}) }}

with stock as (
    select
        commune_key,
        {{ month_number('month_end') }} as month_no,
        sum(residents) as residents
    from {{ ref('fct_resident_month') }}
    group by commune_key, month_end
),

events as (
    select
        commune_key,
        {{ month_number('month_start') }} as month_no,
        sum(direction * events) as delta
    from {{ ref('fct_population_event') }}
    group by commune_key, month_start
),

cells as (
    select
        commune_key,
        month_no
    from stock
    union distinct
    select
        commune_key,
        month_no + 1 as month_no
    from stock
    where month_no < {{ last_month() }}
    union distinct
    select
        commune_key,
        month_no
    from events
)

select
    cells.commune_key,
    cells.month_no,
    before.residents as residents_before,
    events.delta,
    after.residents as residents_after
from cells
left join stock as before on cells.commune_key = before.commune_key and cells.month_no - 1 = before.month_no
left join events on cells.commune_key = events.commune_key and cells.month_no = events.month_no
left join stock as after on cells.commune_key = after.commune_key and cells.month_no = after.month_no
where
    cells.month_no > {{ opening_month() }}
    and coalesce(before.residents, 0) + coalesce(events.delta, 0) <> coalesce(after.residents, 0)
