-- The communes along a path, each with the days on which it was the right name for the place. A receiver may be older
-- than what it received: the step begins where the one before it ended. Whoever is recorded in a commune of the reform
-- with an earlier date is counted there from its first day: which former commune they lived in is not known.
with steps as (
    select
        path.origin_key,
        path.path_no,
        step.commune_key,
        step.step_no
    from {{ ref('int_territory__path') }} as path
    cross join lateral string_to_table(path.commune_keys, ' ') with ordinality as step (commune_key, step_no)
)

select
    steps.origin_key,
    steps.path_no,
    steps.commune_key,
    coalesce(
        lag(unit.valid_to) over (partition by steps.origin_key, steps.path_no order by steps.step_no) + 1,
        case when unit.valid_from < date '{{ var("first_month") }}' then '-infinity' else unit.valid_from end
    ) as step_from,
    unit.valid_to as step_to
from steps
inner join {{ ref('stg_admin__unit') }} as unit
    on unit.level_code = 'XA' and steps.commune_key = unit.unit_code || '@' || unit.valid_from
