select
    record_id,
    sex_code,
    status_code,
    permanent_commune_key,
    current_commune_key,
    birth_date,
    birth_date_precision,
    permanent_since,
    updated_at
from {{ ref('base_population__resident') }}
where not _refused
