{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.enterprise_code as _record_key,
        {{ clean_code('raw_row.enterprise_code') }} as enterprise_code,
        {{ clean_text('raw_row.enterprise_name') }} as enterprise_name,
        {{ clean_code('raw_row.legal_form') }} as legal_form,
        {{ clean_code('raw_row.founded_on') }} as founded_on_text,
        {{ clean_code('raw_row.amended_on') }} as amended_on_text,
        {{ clean_text('raw_row.status_name') }} as status_name,
        {{ clean_code('raw_row.capital_vnd') }} as capital_text,
        {{ clean_code('raw_row.main_industry') }} as main_industry_text,
        {{ clean_text('raw_row.industries') }} as industries,
        {{ clean_code('raw_row.place_id') }} as place_id,
        {{ clean_text('raw_row.address') }} as address,
        {{ clean_text('raw_row.representative_name') }} as representative_name,
        {{ clean_code('raw_row.representative_id') }} as representative_id_text,
        {{ clean_code('raw_row.employees') }} as employees_text
    from {{ source('business', 'enterprise') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('founded_on_text', 'dd/MM/yyyy') }} as founded_on,
        {{ to_day('amended_on_text', 'dd/MM/yyyy') }} as amended_on,
        {{ to_number('capital_text') }} as capital_vnd,
        {{ to_integer('employees_text') }} as employees,
        {{ vsic_code('main_industry_text') }} as main_industry,
        {{ recover_personal_id('representative_id_text') }} as representative_id
    from cleaned
    {{ once() }}
),

referred as (
    select
        typed.*,
        section.section,
        place.commune_key,
        place.valid_to as place_valid_to,
        status.state,
        form.legal_form is not null as has_legal_form
    from typed
    {{ join_section('section', 'typed.main_industry') }}
    left join {{ ref('stg_business__place') }} as place on typed.place_id = place.place_id
    left join {{ ref('enterprise_status') }} as status on typed.status_name = status.status_name
    left join {{ ref('legal_form') }} as form on typed.legal_form = form.legal_form
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue('enterprise_code', 'TAX_CODE_CHECK_DIGIT', "not " ~ tax_code_is_valid('enterprise_code')),
            text_issues(['enterprise_name', 'address', 'representative_name', 'status_name']),
            issue('legal_form', 'CODE_UNKNOWN', 'not has_legal_form'),
            issue('founded_on', 'PLACEHOLDER_VALUE', 'founded_on_text is null'),
            date_issues('founded_on', 'founded_on_text', 'founded_on'),
            date_issues('amended_on', 'amended_on_text', 'amended_on'),
            issue('amended_on', 'DATE_ORDER', 'amended_on < founded_on'),
            issue('status_name', 'CODE_UNKNOWN', 'state is null', refuse=true),
            issue('capital_vnd', 'NUMBER_FORMAT', 'capital_text is not null and capital_vnd is null'),
            issue('employees', 'NUMBER_FORMAT', 'employees_text is not null and employees is null'),
            issue('main_industry', 'CODE_LEADING_ZERO_LOST', 'length(main_industry_text) = 3 and section is not null'),
            issue('main_industry', 'CODE_LABEL', 'main_industry is null and main_industry_text is not null'),
            issue('main_industry', 'CODE_UNKNOWN', 'main_industry is not null and section is null'),
            issue('main_industry', 'PLACEHOLDER_VALUE', 'main_industry_text is null'),
            issue('place_id', 'CODE_UNKNOWN', 'commune_key is null', refuse=true),
            issue('place_id', 'CODE_SUPERSEDED', 'place_valid_to < coalesce(amended_on, founded_on)'),
            issue(
                'representative_id', 'ID_LEADING_ZERO_LOST',
                'length(representative_id_text) = 11 and representative_id is not null'
            ),
            issue(
                'representative_id', 'ID_MALFORMED',
                "representative_id is null and not (length(representative_id_text) = 9 and "
                ~ is_digits('representative_id_text') ~ ")"
            ),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    enterprise_code,
    enterprise_name,
    case when has_legal_form then legal_form end as legal_form,
    status_name,
    state,
    case when section is not null then main_industry end as main_industry,
    section,
    industries,
    place_id,
    commune_key,
    address,
    representative_name,
    representative_id_text,
    representative_id,
    capital_vnd,
    employees,
    case when founded_on <= {{ as_of() }} then founded_on end as founded_on,
    case when amended_on between founded_on and {{ as_of() }} then amended_on end as amended_on,
    {{ verdict() }}
from checked
