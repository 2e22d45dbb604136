with changes as (
    select
        stay.commune_key,
        stay.present_commune_key,
        stay.section,
        stay.legal_form,
        stay.state,
        point.month_no,
        sum(point.delta) as delta
    from {{ ref('int_business__stay') }} as stay
    cross join lateral (values (stay.from_month, 1), (stay.until_month, -1)) as point (month_no, delta)
    where point.month_no <= {{ last_month() }} and stay.state <> 'closed'
    group by stay.commune_key, stay.present_commune_key, stay.section, stay.legal_form, stay.state, point.month_no
),

cells as (
    select distinct
        commune_key,
        present_commune_key,
        section,
        legal_form,
        state
    from changes
),

stock as (
    select
        cells.commune_key,
        cells.present_commune_key,
        cells.section,
        cells.legal_form,
        cells.state,
        month.month_no,
        sum(coalesce(changes.delta, 0)) over (
            partition by cells.commune_key, cells.present_commune_key, cells.section, cells.legal_form, cells.state
            order by month.month_no
        ) as enterprises
    from cells
    inner join {{ ref('dim_administrative_unit') }} as unit on cells.commune_key = unit.commune_key
    cross join lateral generate_series(
        greatest({{ opening_month() }}, {{ month_number('unit.valid_from') }}),
        least({{ last_month() }}, {{ month_number("(unit.valid_to + 1)") }} - 1)
    ) as month (month_no)
    left join changes
        on cells.commune_key = changes.commune_key and cells.present_commune_key = changes.present_commune_key
        and cells.section = changes.section and cells.legal_form = changes.legal_form
        and cells.state = changes.state and month.month_no = changes.month_no
)

select
    {{ month_end('month_no') }} as month_end,
    commune_key,
    present_commune_key,
    section,
    legal_form,
    state,
    cast(enterprises as integer) as enterprises
from stock
where enterprises <> 0
