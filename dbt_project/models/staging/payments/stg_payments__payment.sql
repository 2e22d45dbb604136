select
    payment_id,
    dossier_code,
    channel,
    status,
    amount_vnd,
    paid_at
from {{ ref('base_payments__payment') }}
where not _refused
