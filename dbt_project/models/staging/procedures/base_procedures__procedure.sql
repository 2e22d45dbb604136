{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.procedure_code as _record_key,
        {{ clean_code('raw_row.procedure_code') }} as procedure_code_text,
        {{ clean_text('raw_row.procedure_name') }} as procedure_name,
        {{ clean_code('raw_row.field_code') }} as field_code,
        {{ clean_text('raw_row.field_name') }} as field_name,
        {{ clean_code('raw_row.level_code') }} as level_code,
        {{ clean_code('raw_row.service_level') }} as service_level,
        {{ clean_code('raw_row.time_limit') }} as time_limit_text,
        {{ clean_code('raw_row.time_unit') }} as time_unit,
        coalesce({{ clean_code('raw_row.fee_vnd') }}, '0') as fee_text,
        {{ clean_code('raw_row.paper_result') }} = '1' as needs_paper_result,
        {{ clean_text('raw_row.decision_no') }} as decision_no,
        {{ clean_code('raw_row.decided_on') }} as decided_on_text,
        {{ clean_code('raw_row.published_on') }} as published_on_text,
        {{ clean_code('raw_row.basis_effective_on') }} as basis_effective_on_text,
        {{ clean_code('raw_row.effective_from') }} as effective_from_text,
        {{ clean_code('raw_row.effective_to') }} as effective_to_text,
        {{ clean_code('raw_row.replaced_by') }} as replaced_by_text
    from {{ source('procedures', 'procedure') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ national_procedure_code('procedure_code_text') }} as procedure_code,
        -- One procedure may be replaced by several.
        (
            select string_agg({{ national_procedure_code('named.code') }}, ';')
            from regexp_split_to_table(replaced_by_text, '[;, ]+') as named (code)
        ) as successors,
        {{ to_integer('time_limit_text') }} as time_limit,
        {{ to_number('fee_text') }} as fee_vnd,
        {{ to_day('decided_on_text', 'dd/MM/yyyy') }} as decided_on,
        {{ to_day('published_on_text', 'dd/MM/yyyy') }} as published_on,
        {{ to_day('basis_effective_on_text', 'dd/MM/yyyy') }} as basis_effective_on,
        {{ to_day('effective_from_text', 'dd/MM/yyyy') }} as effective_from,
        {{ to_day('effective_to_text', 'dd/MM/yyyy') }} as effective_to
    from cleaned
    {{ once() }}
),

-- The local edition (suffix .H39) and the national code are one procedure: the edition in force, then the latest.
ranked as (
    select
        *,
        row_number() over (
            partition by procedure_code order by effective_to desc nulls first, effective_from desc, _record_key
        ) as edition
    from typed
),

referred as (
    select
        ranked.*,
        service.conformed_code as conformed_service_level,
        level.conformed_code as conformed_level,
        unit.conformed_code as conformed_time_unit,
        (
            select coalesce(bool_or(other.procedure_code is null), false)
            from string_to_table(ranked.successors, ';') as named (code)
            left join typed as other on named.code = other.procedure_code
        ) as has_unknown_successor
    from ranked
    {{ join_code('service', 'procedures', 'service_level', 'ranked.service_level') }}
    {{ join_code('level', 'procedures', 'level', 'ranked.level_code') }}
    {{ join_code('unit', 'procedures', 'time_unit', 'ranked.time_unit') }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue('procedure_code', 'CODE_UNKNOWN', 'procedure_code is null', refuse=true),
            issue('procedure_code', 'ID_DUPLICATE', 'procedure_code is not null and edition > 1', refuse=true),
            text_issues(['procedure_name', 'field_name']),
            issue('service_level', 'CODE_UNKNOWN', 'conformed_service_level is null'),
            issue('level_code', 'CODE_UNKNOWN', 'conformed_level is null'),
            issue('time_unit', 'CODE_UNKNOWN', 'time_unit is not null and conformed_time_unit is null'),
            issue('field_code', 'PLACEHOLDER_VALUE', 'field_code is null', refuse=true),
            issue('time_limit', 'NUMBER_FORMAT', 'time_limit_text is not null and time_limit is null'),
            issue('fee_vnd', 'NUMBER_FORMAT', 'fee_vnd is null'),
            date_issues('decided_on', 'decided_on_text', 'decided_on'),
            date_issues('published_on', 'published_on_text', 'published_on'),
            issue('published_on', 'DATE_ORDER', 'published_on < decided_on'),
            date_issues('basis_effective_on', 'basis_effective_on_text', 'basis_effective_on', future=true),
            date_issues('effective_from', 'effective_from_text', 'effective_from', future=true),
            date_issues('effective_to', 'effective_to_text', 'effective_to', future=true),
            issue('effective_to', 'DATE_ORDER', 'effective_to < effective_from'),
            issue('replaced_by', 'REFERENCE_MISSING', 'has_unknown_successor'),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    procedure_code,
    procedure_name,
    field_code,
    field_name,
    conformed_level as level_code,
    conformed_service_level as service_level,
    time_limit,
    conformed_time_unit as time_unit,
    fee_vnd,
    coalesce(needs_paper_result, false) as needs_paper_result,
    decision_no,
    decided_on,
    published_on,
    basis_effective_on,
    effective_from,
    effective_to,
    successors,
    {{ verdict() }}
from checked
