select
    tax_code,
    enterprise_name,
    coalesce(activity, 'unknown') as activity,
    commune_key,
    listed_on,
    ended_on,
    employees
from {{ ref('base_digital__enterprise') }}
where not _refused
