{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.record_no as _record_key,
        raw_row.record_no,
        {{ clean_code('raw_row.month') }} as month_text,
        {{ clean_code('raw_row.commune_code') }} as commune_code,
        {{ clean_text('raw_row.commune_name') }} as commune_name,
        {{ clean_code('raw_row.compulsory') }} as compulsory_text,
        {{ clean_code('raw_row.voluntary') }} as voluntary_text,
        {{ clean_code('raw_row.unemployment') }} as unemployment_text,
        {{ clean_code('raw_row.cards_employment') }} as cards_employment_text,
        {{ clean_code('raw_row.cards_fund') }} as cards_fund_text,
        {{ clean_code('raw_row.cards_budget') }} as cards_budget_text,
        {{ clean_code('raw_row.cards_supported') }} as cards_supported_text,
        {{ clean_code('raw_row.cards_household') }} as cards_household_text,
        {{ clean_code('raw_row.cards_total') }} as cards_total_text,
        {{ clean_code('raw_row.population') }} as population_text
    from {{ source('insurance', 'commune_month') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day("'01/' || month_text", 'dd/MM/yyyy') }} as month_start,
        {{ to_number('compulsory_text') }} as compulsory,
        {{ to_number('voluntary_text') }} as voluntary,
        {{ to_number('unemployment_text') }} as unemployment,
        {{ to_number('cards_employment_text') }} as cards_employment,
        {{ to_number('cards_fund_text') }} as cards_fund,
        {{ to_number('cards_budget_text') }} as cards_budget,
        {{ to_number('cards_supported_text') }} as cards_supported,
        {{ to_number('cards_household_text') }} as cards_household,
        {{ to_number('cards_total_text') }} as cards_total,
        {{ to_number('population_text') }} as population
    from cleaned
    {{ once() }}
),

-- People are counted on the last day of the month, so that day's list of communes holds.
located as (
    select
        typed.*,
        place.commune_key,
        place.is_exact,
        cards_employment + cards_fund + cards_budget + cards_supported + cards_household as cards_added_up,
        row_number() over (partition by typed.month_start, place.commune_key order by typed.record_no) as copy_no
    from typed
    {{ join_commune('place', 'typed.commune_code', "cast(typed.month_start + interval '1 month - 1 day' as date)") }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['commune_name']),
            issue('month', 'DATE_MALFORMED', 'month_start is null', refuse=true),
            issue('month', 'DATE_IN_FUTURE', 'month_start > ' ~ as_of(), refuse=true),
            issue('commune_code', 'CODE_UNKNOWN', 'commune_key is null and month_start is not null', refuse=true),
            issue('commune_code', 'CODE_SUPERSEDED', 'not is_exact'),
            issue('commune_code', 'KEY_DUPLICATE_CONFLICT', 'commune_key is not null and copy_no > 1', refuse=true),
            issue('compulsory', 'NUMBER_FORMAT', 'coalesce(compulsory < 0, true)', refuse=true),
            issue('voluntary', 'NUMBER_FORMAT', 'coalesce(voluntary < 0, true)', refuse=true),
            issue('unemployment', 'NUMBER_FORMAT', 'coalesce(unemployment < 0, true)'),
            issue('cards_employment', 'NUMBER_FORMAT', 'coalesce(cards_employment < 0, true)'),
            issue('cards_fund', 'NUMBER_FORMAT', 'coalesce(cards_fund < 0, true)'),
            issue('cards_budget', 'NUMBER_FORMAT', 'coalesce(cards_budget < 0, true)'),
            issue('cards_supported', 'NUMBER_FORMAT', 'coalesce(cards_supported < 0, true)'),
            issue('cards_household', 'NUMBER_FORMAT', 'coalesce(cards_household < 0, true)'),
            issue('cards_total', 'NUMBER_FORMAT', 'coalesce(cards_total < 0, true)', refuse=true),
            issue('population', 'NUMBER_FORMAT', 'coalesce(population < 0, true)'),
            issue('cards_total', 'SUM_MISMATCH', 'cards_added_up <> cards_total'),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    record_no,
    month_start,
    commune_key,
    cast(compulsory as integer) as compulsory,
    cast(voluntary as integer) as voluntary,
    cast(unemployment as integer) as unemployment,
    cast(cards_employment as integer) as cards_employment,
    cast(cards_fund as integer) as cards_fund,
    cast(cards_budget as integer) as cards_budget,
    cast(cards_supported as integer) as cards_supported,
    cast(cards_household as integer) as cards_household,
    cast(cards_total as integer) as cards_total,
    cast(population as integer) as population,
    {{ verdict() }}
from checked
