with counted as (
    select
        cast(date_trunc('month', paid_on) as date) as month_start,
        channel,
        count(*) as payments,
        {{ cell_key('payment_draw') }} as payments_draw
    from {{ ref('fct_fee_payment') }}
    where status = 'paid' and channel is not null and paid_on < {{ month_start(last_month()) }} + interval '1 month'
    group by cast(date_trunc('month', paid_on) as date), channel
),

protected as (
    select
        *,
        {{ publishable('payments', 'payments_draw') }} as payments_shown
    from counted
)

select
    month_start,
    channel,
    cast(payments_shown as integer) as payments,
    payments_shown is null as payments_suppressed
from protected
