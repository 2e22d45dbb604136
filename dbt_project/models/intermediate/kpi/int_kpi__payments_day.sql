-- Payments by the agency of their dossier; what belongs to no dossier is of the whole province.
select
    metric.metric_code,
    'press' as metric_version,
    'sum' as accrual,
    payment.agency_key,
    agency.former_province,
    payment.paid_on as day,
    sum(metric.numerator) as numerator,
    sum(metric.denominator) as denominator
from {{ ref('fct_fee_payment') }} as payment
left join {{ ref('dim_agency') }} as agency on payment.agency_key = agency.agency_key
cross join lateral (
    values
    ('fee_payments', cast(payment.status = 'paid' as integer), null),
    ('fee_payments_amount', case when payment.status = 'paid' then payment.amount_vnd else 0 end, null),
    ('fee_payments_failed', cast(payment.status = 'failed' as integer), 1),
    (
        'fee_payments_matched', cast(payment.status = 'paid' and payment.is_in_dossier as integer),
        cast(payment.status = 'paid' as integer)
    )
) as metric (metric_code, numerator, denominator)
group by metric.metric_code, payment.agency_key, agency.former_province, payment.paid_on
