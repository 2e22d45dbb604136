{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='_record_key', on_schema_change='fail',
    pre_hook='{{ forget_deleted() }}'
) }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.document_id as _record_key,
        raw_row.document_id,
        {{ clean_code('raw_row.sender_code') }} as sender_code_text,
        {{ clean_code('raw_row.promulgated_on') }} as promulgated_on_text,
        {{ clean_code('raw_row.type_code') }} as type_code,
        {{ clean_code('raw_row.form_code') }} as form_code,
        {{ clean_code('raw_row.signature_code') }} as signature_code,
        {{ clean_text('raw_row.subject') }} as subject,
        {{ clean_text('raw_row.signer_name') }} as signer_name
    from {{ source('documents', 'header') }} as raw_row
    {% call rows_to_judge('raw_row') %}
    or {{ changed_in(agency_code(trimmed('raw_row.sender_code')), source('procedures', 'agency'), trimmed('agency_code')) }}
    {% endcall %}
    {{ once() }}
),

typed as (
    select
        *,
        {{ agency_code('sender_code_text') }} as agency_code,
        {{ to_day('promulgated_on_text', 'yyyy-MM-dd') }} as promulgated_on
    from cleaned
    {{ once() }}
),

referred as (
    select
        typed.*,
        agency.valid_from as agency_valid_from,
        type.conformed_code as conformed_type,
        form.conformed_code as conformed_form,
        signature.conformed_code as conformed_signature
    from typed
    left join {{ ref('stg_procedures__agency') }} as agency
        on
            typed.agency_code = agency.agency_code
            and typed.promulgated_on between agency.valid_from and agency.valid_to
    {{ join_code('type', 'documents', 'document_type', 'typed.type_code') }}
    {{ join_code('form', 'documents', 'document_form', 'typed.form_code') }}
    {{ join_code('signature', 'documents', 'document_signature', 'typed.signature_code') }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['subject', 'signer_name']),
            issue('promulgated_on', 'PLACEHOLDER_VALUE', 'promulgated_on_text is null', refuse=true),
            date_issues('promulgated_on', 'promulgated_on_text', 'promulgated_on', refuse=true),
            issue(
                'sender_code', 'CODE_UNKNOWN', 'agency_valid_from is null and promulgated_on <= ' ~ as_of(), refuse=true
            ),
            issue('type_code', 'CODE_UNKNOWN', 'type_code is not null and conformed_type is null'),
            issue('form_code', 'CODE_UNKNOWN', 'conformed_form is null', refuse=true),
            issue('signature_code', 'CODE_UNKNOWN', 'conformed_signature is null', refuse=true),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    document_id,
    agency_code,
    agency_valid_from,
    conformed_type as document_type,
    conformed_form as form,
    conformed_signature as signature,
    promulgated_on,
    {{ verdict() }}
from checked
