{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='_record_key', on_schema_change='fail',
    pre_hook='{{ forget_deleted() }}'
) }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.registration_no as _record_key,
        raw_row.registration_no,
        {{ clean_code('raw_row.business_code') }} as business_code_text,
        {{ clean_text('raw_row.business_name') }} as business_name,
        {{ clean_text('raw_row.owner_name') }} as owner_name,
        {{ clean_code('raw_row.owner_id') }} as owner_id_text,
        {{ clean_code('raw_row.registered_on') }} as registered_on_text,
        {{ clean_code('raw_row.closed_on') }} as closed_on_text,
        {{ clean_code('raw_row.main_industry') }} as main_industry_text,
        {{ clean_code('raw_row.commune_code') }} as commune_code,
        {{ clean_text('raw_row.address') }} as address
    from {{ source('business', 'household_business') }} as raw_row
    {% call rows_to_judge('raw_row') %}
    {% endcall %}
    {{ once() }}
),

typed as (
    select
        *,
        {{ to_day('registered_on_text', 'dd/MM/yyyy') }} as registered_on,
        {{ to_day('closed_on_text', 'dd/MM/yyyy') }} as closed_on,
        {{ vsic_code('main_industry_text') }} as main_industry,
        {{ recover_personal_id('business_code_text') }} as business_personal_id,
        {{ recover_personal_id('owner_id_text') }} as owner_id
    from cleaned
    {{ once() }}
),

referred as (
    select
        typed.*,
        section.section,
        place.commune_key,
        place.is_exact
    from typed
    {{ join_section('section', 'typed.main_industry') }}
    {{ join_commune('place', 'typed.commune_code', 'typed.registered_on') }}
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue(
                'business_code', 'ID_LEADING_ZERO_LOST',
                'length(business_code_text) = 11 and business_personal_id is not null'
            ),
            issue(
                'business_code', 'ID_MALFORMED',
                "business_personal_id is null and length(business_code_text) not in (10, 14)"
            ),
            issue(
                'business_code', 'TAX_CODE_CHECK_DIGIT',
                "length(business_code_text) in (10, 14) and not " ~ tax_code_is_valid('left(business_code_text, 10)')
            ),
            issue('owner_id', 'ID_LEADING_ZERO_LOST', 'length(owner_id_text) = 11 and owner_id is not null'),
            issue(
                'owner_id', 'ID_MALFORMED',
                "owner_id is null and not (length(owner_id_text) = 9 and " ~ is_digits('owner_id_text') ~ ")"
            ),
            text_issues(['business_name', 'owner_name', 'address']),
            issue('registered_on', 'PLACEHOLDER_VALUE', 'registered_on_text is null', refuse=true),
            date_issues('registered_on', 'registered_on_text', 'registered_on', refuse=true),
            date_issues('closed_on', 'closed_on_text', 'closed_on'),
            issue('closed_on', 'DATE_ORDER', 'closed_on < registered_on'),
            issue('main_industry', 'CODE_LEADING_ZERO_LOST', 'length(main_industry_text) = 3 and section is not null'),
            issue('main_industry', 'CODE_LABEL', 'main_industry is null and main_industry_text is not null'),
            issue('main_industry', 'CODE_UNKNOWN', 'main_industry is not null and section is null'),
            issue(
                'commune_code', 'CODE_UNKNOWN', 'commune_key is null and registered_on is not null', refuse=true
            ),
            issue('commune_code', 'CODE_SUPERSEDED', 'not is_exact'),
        ]) }} as _issues
    from referred
    {{ once() }}
)

select
    registration_no,
    business_code_text,
    business_personal_id,
    business_name,
    owner_name,
    owner_id_text,
    owner_id,
    address,
    case when section is not null then main_industry end as main_industry,
    section,
    commune_key,
    registered_on,
    case when closed_on between registered_on and {{ as_of() }} then closed_on end as closed_on,
    {{ verdict() }}
from checked
