{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.account_id as _record_key,
        raw_row.account_id,
        {{ clean_code('raw_row.system_code') }} as system_code,
        {{ clean_code('raw_row.unit_code') }} as unit_code,
        {{ clean_text('raw_row.holder_name') }} as holder_name,
        {{ clean_code('raw_row.opened_on') }} as opened_on_text,
        {{ clean_code('raw_row.first_used_on') }} as first_used_on_text,
        {{ clean_code('raw_row.closed_on') }} as closed_on_text
    from {{ source('documents', 'account') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('opened_on_text', 'dd/MM/yyyy') }} as opened_on,
        {{ to_day('first_used_on_text', 'dd/MM/yyyy') }} as first_used_on,
        {{ to_day('closed_on_text', 'dd/MM/yyyy') }} as closed_on
    from cleaned
    {{ once() }}
),

referred as (
    select
        typed.*,
        system.conformed_code as conformed_system,
        agency.valid_from as agency_valid_from
    from typed
    {{ join_code('system', 'documents', 'account_system', 'typed.system_code') }}
    left join {{ ref('stg_procedures__agency') }} as agency
        on typed.unit_code = agency.agency_code and typed.opened_on between agency.valid_from and agency.valid_to
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['holder_name']),
            issue('system_code', 'CODE_UNKNOWN', 'conformed_system is null', refuse=true),
            issue('opened_on', 'PLACEHOLDER_VALUE', 'opened_on_text is null', refuse=true),
            date_issues('opened_on', 'opened_on_text', 'opened_on', refuse=true),
            issue('unit_code', 'CODE_UNKNOWN', 'agency_valid_from is null and opened_on is not null', refuse=true),
            date_issues('first_used_on', 'first_used_on_text', 'first_used_on'),
            issue('first_used_on', 'DATE_ORDER', 'first_used_on < opened_on'),
            date_issues('closed_on', 'closed_on_text', 'closed_on'),
            issue('closed_on', 'DATE_ORDER', 'closed_on < opened_on'),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    account_id,
    conformed_system as account_system,
    unit_code,
    agency_valid_from,
    opened_on,
    case when first_used_on between opened_on and {{ as_of() }} then first_used_on end as first_used_on,
    case when closed_on between opened_on and {{ as_of() }} then closed_on end as closed_on,
    {{ verdict() }}
from checked
