select
    predecessor_key,
    successor_key,
    effective_on,
    relation,
    field_codes,
    legal_basis,
    certainty = 'provisional' as is_provisional
from {{ ref('int_agency__succession') }}
