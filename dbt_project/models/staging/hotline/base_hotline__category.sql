{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.category_id as _record_key,
        {{ clean_code('raw_row.category_id') }} as category_id,
        {{ clean_code('raw_row.parent_id') }} as parent_id,
        {{ clean_text('raw_row.category_name') }} as category_name,
        {{ clean_code('raw_row.field_code') }} as field_code
    from {{ source('hotline', 'category') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

referred as (
    select
        cleaned.*,
        coalesce(field.field_code, cleaned.field_code) as own_field_code,
        coalesce(field.category_name, cleaned.category_name) as own_field_name
    from cleaned
    left join cleaned as field on cleaned.parent_id = field.category_id
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['category_name']),
            issue('category_name', 'PLACEHOLDER_VALUE', 'category_name is null', refuse=true),
            issue('field_code', 'PLACEHOLDER_VALUE', 'own_field_code is null', refuse=true),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    category_id,
    parent_id,
    category_name,
    own_field_code as field_code,
    own_field_name as field_name,
    {{ verdict() }}
from checked
