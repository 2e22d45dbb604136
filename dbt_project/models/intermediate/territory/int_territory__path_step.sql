-- The communes along a path, each with the days on which it was the right name for the place.
select
    path.origin_key,
    path.path_no,
    step.commune_key,
    case when step.step_no = 1 then date '-infinity' else unit.valid_from end as step_from,
    unit.valid_to as step_to
from {{ ref('int_territory__path') }} as path
cross join lateral unnest(path.commune_keys) with ordinality as step (commune_key, step_no)
inner join {{ ref('stg_admin__unit') }} as unit
    on unit.level_code = 'XA' and step.commune_key = unit.unit_code || '@' || unit.valid_from
