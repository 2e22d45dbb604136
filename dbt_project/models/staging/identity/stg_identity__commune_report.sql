select
    commune_key,
    reported_on,
    eligible,
    level_1,
    level_2
from {{ ref('base_identity__commune_report') }}
where not _refused
