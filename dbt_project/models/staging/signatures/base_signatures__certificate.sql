{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.serial_no as _record_key,
        raw_row.serial_no,
        {{ clean_code('raw_row.subject_code') }} as subject_code,
        {{ clean_code('raw_row.unit_code') }} as unit_code,
        {{ clean_text('raw_row.holder_name') }} as holder_name,
        {{ clean_code('raw_row.valid_from') }} as valid_from_text,
        {{ clean_code('raw_row.valid_to') }} as valid_to_text,
        {{ clean_code('raw_row.revoked_on') }} as revoked_on_text
    from {{ source('signatures', 'certificate') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('valid_from_text', 'dd/MM/yyyy') }} as valid_from,
        {{ to_day('valid_to_text', 'dd/MM/yyyy') }} as valid_to,
        {{ to_day('revoked_on_text', 'dd/MM/yyyy') }} as revoked_on
    from cleaned
    {{ once() }}
),

referred as (
    select
        typed.*,
        subject.conformed_code as conformed_subject,
        agency.valid_from as agency_valid_from
    from typed
    {{ join_code('subject', 'signatures', 'certificate_subject', 'typed.subject_code') }}
    left join {{ ref('stg_procedures__agency') }} as agency
        on typed.unit_code = agency.agency_code and typed.valid_from between agency.valid_from and agency.valid_to
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['holder_name']),
            issue('subject_code', 'PLACEHOLDER_VALUE', 'subject_code is null', refuse=true),
            issue('subject_code', 'CODE_UNKNOWN', 'subject_code is not null and conformed_subject is null', refuse=true),
            issue('valid_from', 'PLACEHOLDER_VALUE', 'valid_from_text is null', refuse=true),
            date_issues('valid_from', 'valid_from_text', 'valid_from', refuse=true),
            issue('unit_code', 'CODE_UNKNOWN', 'agency_valid_from is null and valid_from is not null', refuse=true),
            issue('valid_to', 'PLACEHOLDER_VALUE', 'valid_to_text is null', refuse=true),
            date_issues('valid_to', 'valid_to_text', 'valid_to', refuse=true, future=true),
            issue('valid_to', 'DATE_ORDER', 'valid_to < valid_from', refuse=true),
            date_issues('revoked_on', 'revoked_on_text', 'revoked_on'),
            issue('revoked_on', 'DATE_ORDER', 'revoked_on < valid_from'),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    serial_no,
    conformed_subject as subject,
    unit_code,
    agency_valid_from,
    valid_from,
    valid_to,
    case when revoked_on between valid_from and {{ as_of() }} then revoked_on end as revoked_on,
    {{ verdict() }}
from checked
