select
    agency.agency_code || '@' || agency.valid_from as agency_key,
    agency.agency_code,
    agency.agency_name,
    agency.level_code,
    agency.parent_code,
    agency.commune_key,
    -- From the reform on the code does not tell: the merged province has taken over one of them.
    case
        when agency.valid_from >= date '{{ var("two_level_from") }}' then unit.former_province
        else {{ former_province_of_agency('agency.agency_code') }}
    end as former_province,
    agency.valid_to >= {{ as_of() }} as is_present,
    agency.valid_from,
    nullif(agency.valid_to, 'infinity') as valid_to
from {{ ref('stg_procedures__agency') }} as agency
left join {{ ref('dim_administrative_unit') }} as unit on agency.commune_key = unit.commune_key
