select
    enterprise_code,
    legal_form,
    state,
    main_industry,
    section,
    industries,
    place_id,
    commune_key,
    capital_vnd,
    employees,
    founded_on,
    amended_on
from {{ ref('base_business__enterprise') }}
where not _refused
