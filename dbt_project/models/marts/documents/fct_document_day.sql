select
    agency_code || '@' || agency_valid_from as agency_key,
    promulgated_on as day,
    document_type,
    cast(count(*) as integer) as outgoing,
    cast(count(*) filter (where form = 'electronic') as integer) as electronic,
    cast(count(*) filter (where form = 'electronic' and signature <> 'none') as integer) as signed,
    cast(count(*) filter (where form = 'electronic' and signature in ('agency', 'both')) as integer) as signed_by_agency
from {{ ref('stg_documents__header') }}
group by agency_code, agency_valid_from, promulgated_on, document_type
