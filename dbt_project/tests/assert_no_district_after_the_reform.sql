-- From 1/7/2025 there are two levels (Nghị quyết 1682/NQ-UBTVQH15). If this fails, the code list was not brought up.
select agency_key
from {{ ref('dim_agency') }}
where level_code = 'HUYEN' and coalesce(valid_to, 'infinity') >= date '{{ var("two_level_from") }}'
    and {{ as_of() }} >= date '{{ var("two_level_from") }}'
