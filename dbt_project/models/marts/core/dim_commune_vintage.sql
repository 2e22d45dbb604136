-- A list of communes holds from one change to the next. The changes are those of the units themselves: no reform is
-- named here.
with communes as (
    select
        province_code,
        valid_from,
        valid_to
    from {{ ref('stg_admin__unit') }}
    where level_code = 'XA'
),

changes as (
    select
        province_code,
        valid_from as changed_on
    from communes

    union

    select
        province_code,
        cast(valid_to + 1 as date) as changed_on
    from communes
    where valid_to < 'infinity'
),

periods as (
    select
        province_code,
        changed_on as valid_from,
        coalesce(lead(changed_on) over (partition by province_code order by changed_on) - 1, 'infinity') as valid_to
    from changes
),

counted as (
    select
        periods.province_code,
        periods.valid_from,
        periods.valid_to,
        count(*) as communes
    from periods
    inner join communes
        on
            periods.province_code = communes.province_code
            and periods.valid_from between communes.valid_from and communes.valid_to
    group by periods.province_code, periods.valid_from, periods.valid_to
)

select
    counted.province_code || '@' || counted.valid_from as vintage_key,
    counted.province_code,
    province.unit_name as province_name,
    cast(counted.communes as integer) as communes,
    counted.valid_to >= {{ as_of() }} as is_present,
    counted.valid_from,
    nullif(counted.valid_to, 'infinity') as valid_to
from counted
left join {{ ref('stg_admin__unit') }} as province
    on
        province.level_code = 'TINH'
        and counted.province_code = province.unit_code
        and counted.valid_from between province.valid_from and province.valid_to
