{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='_record_key', on_schema_change='fail',
    pre_hook='{{ forget_deleted() }}'
) }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.dossier_code as _record_key,
        raw_row.dossier_code,
        {{ clean_code('raw_row.procedure_code') }} as procedure_code_text,
        {{ clean_code('raw_row.agency_code') }} as agency_code,
        {{ clean_code('raw_row.reception_agency_code') }} as reception_agency_code_text,
        {{ clean_code('raw_row.channel_code') }} as channel_code,
        {{ clean_code('raw_row.applicant_type') }} as applicant_type,
        {{ clean_text('raw_row.applicant_name') }} as applicant_name,
        {{ clean_code('raw_row.applicant_id') }} as applicant_id_text,
        {{ clean_text('raw_row.subject') }} as subject,
        {{ clean_code('raw_row.submitted_at') }} as submitted_at_text,
        {{ clean_code('raw_row.received_at') }} as received_at_text,
        {{ clean_code('raw_row.due_at') }} as due_at_text,
        {{ clean_code('raw_row.finished_at') }} as finished_at_text,
        {{ clean_code('raw_row.returned_at') }} as returned_at_text,
        {{ clean_code('raw_row.status_code') }} as status_code,
        coalesce(btrim(raw_row.digitised) = '1', false) as is_digitised,
        coalesce(btrim(raw_row.electronic_result) = '1', false) as has_electronic_result,
        coalesce(btrim(raw_row.vneid_account) = '1', false) as has_vneid_account,
        {{ clean_code('raw_row.online_payment') }} as online_payment,
        {{ clean_code('raw_row.database_code') }} as database_code,
        raw_row.documents,
        case when jsonb_typeof(raw_row.fees) = 'array' then raw_row.fees end as fees,
        -- An object stands for a list of one in this interface.
        case jsonb_typeof(raw_row.supplements)
            when 'array' then raw_row.supplements
            when 'object' then jsonb_build_array(raw_row.supplements)
        end as supplements,
        raw_row.updated_at
    from {{ source('procedures', 'dossier') }} as raw_row
    {% call rows_to_judge('raw_row') %}
    {%- for column in ['agency_code', 'reception_agency_code'] %}
    or {{ changed_in(trimmed('raw_row.' ~ column), source('procedures', 'agency'), trimmed('agency_code')) }}
    {%- endfor %}
    or {{ changed_in(
        "left(" ~ trimmed('raw_row.procedure_code') ~ ", 8)", source('procedures', 'procedure'),
        "left(" ~ trimmed('procedure_code') ~ ", 8)"
    ) }}
    -- In the hands of an agency that has ended: as it may have done since the last build.
    or (
        {{ trimmed('raw_row.status_code') }} in (
            select status.status_code from {{ ref('dossier_status') }} as status where not status.is_final
        )
        and {{ trimmed('raw_row.agency_code') }} in (
            select ended.agency_code
            from {{ ref('stg_procedures__agency') }} as ended
            group by ended.agency_code
            having max(ended.valid_to) < {{ as_of() }}
        )
    )
    {% endcall %}
    {{ once() }}
),

typed as (
    select
        *,
        {{ national_procedure_code('procedure_code_text') }} as procedure_code,
        coalesce(reception_agency_code_text, agency_code) as reception_agency_code,
        {{ recover_personal_id('applicant_id_text') }} as applicant_id,
        {{ to_local_time('submitted_at_text') }} as submitted_at,
        {{ to_local_time('received_at_text') }} as received_at,
        {{ to_local_time('due_at_text') }} as due_at,
        {{ to_local_time('finished_at_text') }} as finished_at,
        {{ to_local_time('returned_at_text') }} as returned_at,
        -- The day inside the code: yyMMdd, or yyyyMMdd in the national form of 2026.
        split_part(dossier_code, '-', 2) as code_day
    from cleaned
    {{ once() }}
),

-- Every code that an agency ever had, with its last day.
agencies as (
    select
        agency_code,
        max(valid_to) as last_day
    from {{ ref('stg_procedures__agency') }}
    group by agency_code
),

referred as (
    select
        typed.*,
        reception.valid_from as reception_agency_valid_from,
        handling.last_day as agency_last_day,
        procedure.procedure_code is not null as has_procedure,
        channel.conformed_code as conformed_channel,
        applicant.conformed_code as conformed_applicant_type,
        payment.conformed_code as conformed_payment,
        status.status_code as conformed_status,
        status.is_received,
        status.is_final
    from typed
    left join {{ ref('stg_procedures__agency') }} as reception
        on
            typed.reception_agency_code = reception.agency_code
            and cast(coalesce(typed.received_at, typed.submitted_at) as date)
            between reception.valid_from and reception.valid_to
    left join agencies as handling on typed.agency_code = handling.agency_code
    left join {{ ref('stg_procedures__procedure') }} as procedure on typed.procedure_code = procedure.procedure_code
    {{ join_code('channel', 'procedures', 'dossier_channel', 'typed.channel_code') }}
    {{ join_code('applicant', 'procedures', 'applicant_type', 'typed.applicant_type') }}
    {{ join_code('payment', 'procedures', 'online_payment', 'typed.online_payment') }}
    {{ join_code('known_status', 'procedures', 'dossier_status', 'typed.status_code') }}
    left join {{ ref('dossier_status') }} as status on known_status.conformed_code = status.status_code
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue('procedure_code', 'PLACEHOLDER_VALUE', "coalesce(procedure_code_text, '0') = '0'", refuse=true),
            issue('procedure_code', 'CODE_UNKNOWN', "procedure_code_text <> '0' and not has_procedure", refuse=true),
            issue('agency_code', 'CODE_UNKNOWN', 'agency_last_day is null and submitted_at is not null', refuse=true),
            issue('agency_code', 'CODE_SUPERSEDED', 'not is_final and agency_last_day < ' ~ as_of()),
            issue(
                'reception_agency_code', 'CODE_UNKNOWN',
                'reception_agency_valid_from is null and agency_last_day is not null and submitted_at is not null',
                refuse=true
            ),
            issue('channel_code', 'CODE_UNKNOWN', 'channel_code is not null and conformed_channel is null'),
            issue('applicant_type', 'CODE_UNKNOWN', 'applicant_type is not null and conformed_applicant_type is null'),
            issue('online_payment', 'CODE_UNKNOWN', 'online_payment is not null and conformed_payment is null'),
            text_issues(['applicant_name', 'subject']),
            issue(
                'applicant_id', 'ID_LEADING_ZERO_LOST',
                "conformed_applicant_type = 'citizen' and length(applicant_id_text) = 11 and applicant_id is not null"
            ),
            issue(
                'applicant_id', 'ID_MALFORMED',
                "conformed_applicant_type = 'citizen' and applicant_id is null and length(applicant_id_text) <> 9"
            ),
            issue(
                'applicant_id', 'TAX_CODE_CHECK_DIGIT',
                "conformed_applicant_type = 'business' and length(applicant_id_text) = 10 and not "
                ~ tax_code_is_valid('applicant_id_text')
            ),
            issue('submitted_at', 'DATE_MALFORMED', 'submitted_at_text is not null and submitted_at is null'),
            issue('received_at', 'DATE_MALFORMED', 'received_at_text is not null and received_at is null', refuse=true),
            issue(
                'received_at', 'PLACEHOLDER_VALUE', 'is_received and received_at_text is null', refuse=true
            ),
            issue('received_at', 'DATE_IN_FUTURE', 'received_at >= ' ~ as_of() ~ ' + 1', refuse=true),
            issue('received_at', 'DATE_ORDER', 'received_at < submitted_at'),
            issue('due_at', 'DATE_MALFORMED', 'due_at_text is not null and due_at is null'),
            issue('due_at', 'DATE_ORDER', 'due_at < received_at'),
            issue('finished_at', 'DATE_MALFORMED', 'finished_at_text is not null and finished_at is null'),
            issue('finished_at', 'DATE_IN_FUTURE', 'finished_at >= ' ~ as_of() ~ ' + 1'),
            issue('finished_at', 'DATE_ORDER', 'finished_at < received_at'),
            issue('returned_at', 'DATE_MALFORMED', 'returned_at_text is not null and returned_at is null'),
            issue('returned_at', 'DATE_IN_FUTURE', 'returned_at >= ' ~ as_of() ~ ' + 1'),
            issue('returned_at', 'DATE_ORDER', 'returned_at < finished_at and finished_at < ' ~ as_of() ~ ' + 1'),
            issue('status_code', 'CODE_UNKNOWN', 'is_received is null', refuse=true),
            issue(
                'dossier_code', 'DOSSIER_CODE_DATE',
                "received_at is not null and coalesce(code_day, '') not in"
                ~ " (to_char(received_at, 'YYMMDD'), to_char(received_at, 'YYYYMMDD'))"
            ),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    dossier_code,
    procedure_code,
    agency_code,
    reception_agency_code,
    reception_agency_valid_from,
    -- Without a word it counts as filed in person (formula 3.3).
    coalesce(conformed_channel, '1') as channel_code,
    conformed_applicant_type as applicant_type,
    applicant_id_text,
    applicant_id,
    applicant_name,
    subject,
    conformed_status as status_code,
    is_digitised,
    has_electronic_result,
    has_vneid_account,
    conformed_payment as online_payment,
    database_code,
    fees,
    {{ any_document('documents', 'DuongDanTaiTepTin') }} as has_component_file,
    {{ any_document('documents', 'DuocSoHoa') }} as has_digitised_component,
    {{ any_document('documents', 'DuocTaiSuDung') }} as has_reused_component,
    {{ any_document('documents', 'DuocLayTuKhoDMQG') }} as has_stored_component,
    supplements,
    submitted_at,
    received_at,
    case when due_at >= received_at then due_at end as due_at,
    -- An end before the beginning, or after today, is no end that a deadline can be measured by.
    case when finished_at >= received_at and finished_at < {{ as_of() }} + 1 then finished_at end as finished_at,
    case when returned_at >= received_at and returned_at < {{ as_of() }} + 1 then returned_at end as returned_at,
    updated_at,
    {{ verdict() }}
from checked
