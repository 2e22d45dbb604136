{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.tax_code as _record_key,
        {{ clean_code('raw_row.tax_code') }} as tax_code,
        {{ clean_text('raw_row.enterprise_name') }} as enterprise_name,
        {{ clean_code('raw_row.activity_code') }} as activity_code,
        {{ clean_code('raw_row.commune_code') }} as commune_code,
        {{ clean_code('raw_row.listed_on') }} as listed_on_text,
        {{ clean_code('raw_row.ended_on') }} as ended_on_text,
        {{ clean_code('raw_row.employees') }} as employees_text
    from {{ source('digital', 'enterprise') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('listed_on_text', 'dd/MM/yyyy') }} as listed_on,
        {{ to_day('ended_on_text', 'dd/MM/yyyy') }} as ended_on,
        {{ to_integer('employees_text') }} as employees
    from cleaned
    {{ once() }}
),

located as (
    select
        typed.*,
        activity.conformed_code as activity,
        place.commune_key
    from typed
    {{ join_commune('place', 'typed.commune_code', 'typed.listed_on') }}
    {{ join_code('activity', 'digital', 'digital_activity', 'typed.activity_code') }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            text_issues(['enterprise_name']),
            issue('listed_on', 'PLACEHOLDER_VALUE', 'listed_on_text is null', refuse=true),
            date_issues('listed_on', 'listed_on_text', 'listed_on', refuse=true),
            date_issues('ended_on', 'ended_on_text', 'ended_on'),
            issue('ended_on', 'DATE_ORDER', 'ended_on < listed_on'),
            issue('commune_code', 'CODE_UNKNOWN', 'commune_key is null and listed_on is not null', refuse=true),
            issue('employees', 'NUMBER_FORMAT', 'employees is null'),
            issue('tax_code', 'TAX_CODE_CHECK_DIGIT', "not " ~ tax_code_is_valid('tax_code')),
            issue('activity_code', 'CODE_UNKNOWN', 'activity is null'),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    tax_code,
    enterprise_name,
    activity,
    commune_key,
    listed_on,
    case when ended_on between listed_on and {{ as_of() }} then ended_on end as ended_on,
    employees,
    {{ verdict() }}
from checked
