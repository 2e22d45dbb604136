{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.record_no as _record_key,
        raw_row.record_no,
        {{ clean_code('raw_row.month') }} as month_text,
        {{ clean_code('raw_row.level_code') }} as level_code,
        {{ clean_code('raw_row.chapter_code') }} as chapter_code,
        {{ clean_code('raw_row.item_code') }} as item_code,
        {{ clean_code('raw_row.area_code') }} as area_code,
        {{ clean_code('raw_row.amount') }} as amount_text,
        {{ clean_text('raw_row.amount_unit') }} as amount_unit
    from {{ source('finance', 'execution') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day("'01/' || month_text", 'dd/MM/yyyy') }} as month_start,
        {{ to_number('amount_text') }} as amount,
        case
            when area_code like '__TTT' then 'TINH'
            when area_code like '___HH' then 'HUYEN'
            when area_code is not null then 'XA'
        end as area_level
    from cleaned
    {{ once() }}
),

-- A row is in the unit of account that it names itself; without one it is no amount.
referred as (
    select
        typed.*,
        place.level_code || '-' || place.unit_code || '@' || place.valid_from as place_key,
        typed.amount * cast(unit.conformed_code as numeric) as amount_vnd,
        unit.conformed_code is not null as has_unit,
        chapter.chapter_code is not null as has_chapter,
        item.item_code is not null as has_item
    from typed
    left join {{ ref('stg_admin__unit') }} as place
        on
            typed.area_level = place.level_code
            and rtrim(typed.area_code, 'TH') = place.unit_code
            and cast(typed.month_start + interval '1 month - 1 day' as date) between place.valid_from and place.valid_to
    {{ join_code('unit', 'finance', 'amount_unit', 'typed.amount_unit') }}
    left join {{ ref('budget_chapter') }} as chapter on typed.chapter_code = chapter.chapter_code
    left join {{ ref('budget_item') }} as item on typed.item_code = item.item_code
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue('month', 'DATE_MALFORMED', 'month_start is null', refuse=true),
            issue('month', 'DATE_IN_FUTURE', 'month_start > ' ~ as_of(), refuse=true),
            issue(
                'level_code', 'CODE_UNKNOWN',
                "coalesce("
                ~ "case level_code when '2' then 'TINH' when '3' then 'HUYEN' when '4' then 'XA' end <> area_level, true)",
                refuse=true
            ),
            issue('chapter_code', 'CODE_UNKNOWN', 'not has_chapter', refuse=true),
            issue('item_code', 'CODE_UNKNOWN', 'not has_item', refuse=true),
            issue('area_code', 'CODE_UNKNOWN', 'place_key is null', refuse=true),
            issue('amount', 'NUMBER_FORMAT', 'amount is null', refuse=true),
            issue('amount_unit', 'PLACEHOLDER_VALUE', 'amount_unit is null', refuse=true),
            issue('amount_unit', 'CODE_UNKNOWN', 'amount_unit is not null and not has_unit', refuse=true),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    record_no,
    month_start,
    level_code,
    chapter_code,
    item_code,
    place_key,
    amount_vnd,
    {{ verdict() }}
from checked
