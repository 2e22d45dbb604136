select
    division_2018,
    section_2018,
    division_2025,
    section_2025,
    relation,
    effective_on,
    certainty = 'provisional' as is_provisional,
    source as legal_basis
from {{ ref('vsic_succession') }}
