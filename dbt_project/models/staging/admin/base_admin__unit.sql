{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.unit_code || '|' || raw_row.level_code || '|' || raw_row.valid_from as _record_key,
        {{ clean_code('raw_row.unit_code') }} as unit_code,
        {{ clean_code('raw_row.level_code') }} as level_code,
        {{ clean_text('raw_row.unit_name') }} as unit_name,
        {{ clean_text('raw_row.unit_type') }} as unit_type,
        {{ clean_code('raw_row.parent_code') }} as parent_code,
        {{ clean_code('raw_row.province_code') }} as province_code,
        raw_row.valid_from,
        raw_row.valid_to,
        raw_row.latitude,
        raw_row.longitude,
        {{ clean_text('raw_row.legal_basis') }} as legal_basis
    from {{ source('admin', 'unit') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['unit_name']),
            issue('level_code', 'CODE_UNKNOWN', "level_code not in ('TINH', 'HUYEN', 'XA')", refuse=true),
            issue('unit_name', 'PLACEHOLDER_VALUE', 'unit_name is null', refuse=true),
            issue('valid_to', 'DATE_ORDER', 'valid_to < valid_from', refuse=true),
        ]) }} as _issues
    from cleaned
    {{ once() }}
)

select
    unit_code,
    level_code,
    unit_name,
    unit_type,
    parent_code,
    province_code,
    latitude,
    longitude,
    legal_basis,
    valid_from,
    valid_to,
    {{ verdict() }}
from checked
