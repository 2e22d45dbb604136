-- Current rows = accepted + quarantined, per table. If this fails, a record was lost or doubled without a word.
select *
from {{ ref('reconciliation') }}
where current_rows <> accepted_rows + quarantined_rows
