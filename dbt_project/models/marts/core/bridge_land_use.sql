select
    alias as superseded_code,
    land_type,
    valid_to,
    certainty = 'provisional' as is_provisional,
    source as legal_basis
from {{ ref('land_type_alias') }}
where issue_code = 'CODE_SUPERSEDED'
