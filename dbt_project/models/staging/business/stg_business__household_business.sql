select
    registration_no,
    main_industry,
    section,
    commune_key,
    registered_on,
    closed_on
from {{ ref('base_business__household_business') }}
where not _refused
