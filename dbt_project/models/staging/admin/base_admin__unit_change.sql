{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.effective_on || '|' || raw_row.old_code || '|' || raw_row.new_code as _record_key,
        raw_row.effective_on,
        {{ clean_code('raw_row.old_code') }} as old_code,
        {{ clean_code('raw_row.new_code') }} as new_code,
        {{ clean_code('raw_row.relation') }} as relation,
        coalesce(raw_row.is_main, false) as is_main,
        raw_row.population,
        raw_row.area_km2,
        {{ clean_text('raw_row.legal_basis') }} as legal_basis
    from {{ source('admin', 'unit_change') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue(
                'old_code', 'CODE_UNKNOWN',
                "not exists (select from " ~ ref('stg_admin__unit') ~ " as unit where unit.level_code = 'XA'"
                ~ " and unit.unit_code = old_code and unit.valid_to = effective_on - 1)", refuse=true
            ),
            issue(
                'new_code', 'CODE_UNKNOWN',
                "not exists (select from " ~ ref('stg_admin__unit') ~ " as unit where unit.level_code = 'XA'"
                ~ " and unit.unit_code = new_code and effective_on between unit.valid_from and unit.valid_to)", refuse=true
            ),
            issue('relation', 'CODE_UNKNOWN', "relation is null or relation not in ('TB', 'MP')", refuse=true),
        ]) }} as _issues
    from cleaned
    {{ once() }}
)

select
    effective_on,
    old_code,
    new_code,
    relation,
    is_main,
    population,
    area_km2,
    legal_basis,
    {{ verdict() }}
from checked
