select
    {{ pseudonym('payment', 'payment.payment_id') }} as payment_key,
    dossier.dossier_key,
    dossier.agency_key,
    payment.channel,
    payment.status,
    cast(payment.paid_at as date) as paid_on,
    cast(payment.amount_vnd as numeric(18, 2)) as amount_vnd,
    -- Both systems say the same of the dossier: paid online, and money that stayed.
    coalesce(dossier.is_paid_online, false) as is_in_dossier,
    {{ record_draw('payment', 'payment.payment_id') }} as payment_draw
from {{ ref('stg_payments__payment') }} as payment
left join {{ ref('fct_dossier') }} as dossier on {{ dossier_key('payment.dossier_code') }} = dossier.dossier_key
