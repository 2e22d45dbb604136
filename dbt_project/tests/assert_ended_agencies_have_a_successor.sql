-- Every agency that ended has left its work to somebody. If this fails, its dossiers cannot be followed.
{{ config(severity='warn', meta={
    'next_steps': 'Add the successor, with its legal basis, to seeds/agency_succession.csv.'
}) }}

select agency.agency_key
from {{ ref('dim_agency') }} as agency
left join {{ ref('bridge_agency') }} as bridge on agency.agency_key = bridge.predecessor_key
where agency.valid_to is not null and bridge.predecessor_key is null
