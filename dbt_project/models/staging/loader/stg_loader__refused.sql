{{ config(materialized='table') }}

-- Refused rows that their source still delivers, as far as it has been read since. A later delivery takes a refusal
-- back when it must have held the row and did not: one of everything, a window that the row's cursor falls into, the
-- same file sent again. A good row under the same key takes it back too: see issue_found.
with refused as (
    select
        source_name,
        table_name,
        record_key,
        field,
        code,
        payload,
        payload_hash,
        last_load_id,
        {{ refused_cursor() }} as cursor_at
    from {{ source('loader', 'refused') }}
),

loads as (
    select *
    from {{ source('ledger', 'load') }}
)

select
    source_name,
    table_name,
    record_key,
    field,
    code,
    payload,
    payload_hash,
    last_load_id
from refused
where not exists (
    select
    from loads as later
    where
        later.source_name = refused.source_name
        and later.table_name = refused.table_name
        and later.load_id > refused.last_load_id
        and case later.load_mode
            when 'snapshot' then true
            when 'cursor' then later.window_from is null or (
                refused.cursor_at >= later.window_from and refused.cursor_at < later.window_to
            )
            when 'append' then later.origin = (
                select refusing.origin
                from loads as refusing
                where refusing.load_id = refused.last_load_id
            )
        end
)
