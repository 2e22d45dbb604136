{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.payment_id as _record_key,
        raw_row.payment_id,
        {{ clean_code('raw_row.dossier_code') }} as dossier_code,
        {{ clean_text('raw_row.payer_name') }} as payer_name,
        {{ clean_code('raw_row.channel_code') }} as channel_code,
        {{ clean_code('raw_row.status_code') }} as status_code,
        {{ clean_code('raw_row.amount_vnd') }} as amount_text,
        {{ clean_code('raw_row.paid_at') }} as paid_at_text
    from {{ source('payments', 'payment') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_number('amount_text') }} as amount_vnd,
        {{ to_local_time('paid_at_text') }} as paid_at
    from cleaned
    {{ once() }}
),

referred as (
    select
        typed.*,
        channel.conformed_code as conformed_channel,
        status.conformed_code as conformed_status,
        dossier.dossier_code is not null as has_dossier
    from typed
    {{ join_code('channel', 'payments', 'payment_channel', 'typed.channel_code') }}
    {{ join_code('status', 'payments', 'payment_status', 'typed.status_code') }}
    left join {{ ref('base_procedures__dossier') }} as dossier on typed.dossier_code = dossier.dossier_code
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['payer_name']),
            issue('dossier_code', 'REFERENCE_MISSING', 'not has_dossier'),
            issue('channel_code', 'CODE_UNKNOWN', 'conformed_channel is null'),
            issue('status_code', 'PLACEHOLDER_VALUE', 'status_code is null', refuse=true),
            issue('status_code', 'CODE_UNKNOWN', 'status_code is not null and conformed_status is null', refuse=true),
            issue('amount_vnd', 'NUMBER_FORMAT', 'amount_vnd is null or amount_vnd < 0', refuse=true),
            issue('paid_at', 'PLACEHOLDER_VALUE', 'paid_at_text is null', refuse=true),
            issue('paid_at', 'DATE_MALFORMED', 'paid_at_text is not null and paid_at is null', refuse=true),
            issue('paid_at', 'DATE_IN_FUTURE', 'paid_at >= ' ~ as_of() ~ ' + 1', refuse=true),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    payment_id,
    case when has_dossier then dossier_code end as dossier_code,
    conformed_channel as channel,
    conformed_status as status,
    amount_vnd,
    paid_at,
    {{ verdict() }}
from checked
