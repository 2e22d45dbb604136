{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='_record_key', on_schema_change='fail',
    pre_hook='{{ forget_deleted() }}', meta={'tells': ['personal_id', 'old_id_card']}
) }}

with cleaned as (
    select
        raw_row as _raw,
        raw_row.record_id as _record_key,
        raw_row.record_id,
        {{ clean_code('raw_row.personal_id') }} as id_text,
        {{ clean_code('raw_row.old_id_card') }} as old_id_card,
        {{ clean_text('raw_row.surname') }} as surname,
        {{ clean_text('raw_row.middle_name') }} as middle_name,
        {{ clean_text('raw_row.given_name') }} as given_name,
        {{ clean_code('raw_row.sex_code') }} as sex_code,
        {{ clean_code('raw_row.birth_year') }} as birth_year_text,
        {{ clean_code('raw_row.birth_date') }} as birth_date_text,
        {{ clean_code('raw_row.household_no') }} as household_no,
        {{ clean_text('raw_row.householder_relation') }} as householder_relation,
        {{ clean_code('raw_row.permanent_district') }} as permanent_district,
        {{ clean_code('raw_row.permanent_commune') }} as permanent_commune,
        {{ clean_text('raw_row.permanent_detail') }} as permanent_detail,
        {{ clean_code('raw_row.permanent_since') }} as permanent_since_text,
        {{ clean_code('raw_row.current_district') }} as current_district,
        {{ clean_code('raw_row.current_commune') }} as current_commune,
        {{ clean_code('raw_row.phone') }} as phone,
        {{ clean_code('raw_row.status_code') }} as status_code,
        cast(raw_row.updated_at at time zone 'Asia/Ho_Chi_Minh' as date) as updated_on,
        raw_row.updated_at
    from {{ source('population', 'resident') }} as raw_row
    {% call rows_to_judge('raw_row') %}
    -- Somebody else has come to bear their number. `is true` keeps it a list that is looked up: as a join it is planned
    -- for one changed row, and reads the table once for each.
    or raw_row.record_id in (
        select bearer.record_id
        from {{ this }} as bearer
        where (
            bearer.personal_id in (
                select lpad({{ trimmed('other.personal_id') }}, 12, '0')
                from {{ source('population', 'resident') }} as other
                where other._load_id > {{ of_build('loads_seen') }}
            )
        ) is true
    )
    {% endcall %}
    {{ once() }}
),

read_dates as (
    select
        *,
        {{ to_day('birth_date_text', 'dd/MM/yyyy') }} as birth_date_read,
        {{ to_integer('birth_year_text') }} as birth_year_read,
        {{ to_day('permanent_since_text', 'dd/MM/yyyy') }} as permanent_since
    from cleaned
    {{ once() }}
),

identified as (
    select
        *,
        cast(coalesce(extract(year from birth_date_read), birth_year_read) as integer) as birth_year,
        {{ recover_personal_id(
            'id_text', 'coalesce(cast(extract(year from birth_date_read) as integer), birth_year_read)', 'sex_code'
        ) }} as personal_id
    from read_dates
    {{ once() }}
),

-- The same person twice, or two people under one number.
repeated as (
    select personal_id
    from identified
    where personal_id is not null
    group by personal_id
    having count(*) > 1
),

superseded as (
    select record_id
    from (
        select
            record_id,
            row_number() over (
                partition by personal_id, birth_date_read, surname, middle_name, given_name
                order by status_code, updated_at desc, record_id
            ) as place
        from identified
        where personal_id in (select repeated.personal_id from repeated)
    ) as ranked
    where place > 1
),

located as (
    select
        identified.*,
        permanent_place.commune_key as permanent_commune_key,
        permanent_place.is_exact as permanent_is_exact,
        current_place.commune_key as current_commune_key,
        current_place.is_exact as current_is_exact,
        identified.personal_id in (select repeated.personal_id from repeated) as is_repeated,
        superseded.record_id is not null as is_superseded
    from identified
    {{ join_commune('permanent_place', 'identified.permanent_commune', address_day(
        'identified.permanent_district',
        'coalesce(case when identified.permanent_since <= ' ~ as_of() ~ ' then identified.permanent_since end, identified.updated_on)'
    )) }}
    {{ join_commune('current_place', 'identified.current_commune', address_day(
        'identified.current_district', 'identified.updated_on'
    )) }}
    left join superseded on identified.record_id = superseded.record_id
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue('personal_id', 'PLACEHOLDER_VALUE', 'id_text is null and ' ~ is_placeholder('(_raw).personal_id')),
            issue(
                'personal_id', 'ID_LEADING_ZERO_LOST',
                'length(id_text) = 11 and personal_id is not null'
            ),
            issue('personal_id', 'ID_MALFORMED', "personal_id is null and id_text <> '0'"),
            issue(
                'personal_id', 'ID_SEX_MISMATCH',
                "personal_id is not null and sex_code in ('1', '2') and " ~ id_sex_code('personal_id') ~ " <> sex_code"
            ),
            issue(
                'personal_id', 'ID_BIRTH_YEAR_MISMATCH',
                "personal_id is not null and birth_year is not null and " ~ id_birth_year('personal_id') ~ " <> birth_year"
            ),
            issue('personal_id', 'ID_DUPLICATE', 'is_repeated and not is_superseded'),
            issue('personal_id', 'ID_DUPLICATE', 'is_superseded', refuse=true),
            text_issues(['surname', 'middle_name', 'given_name', 'householder_relation', 'permanent_detail']),
            issue('sex_code', 'CODE_UNKNOWN', "sex_code not in ('0', '1', '2', '3')"),
            date_issues('birth_date', 'birth_date_text', 'birth_date_read', birth=true),
            issue('birth_year', 'PLACEHOLDER_VALUE', 'birth_year_text is null and ' ~ is_placeholder('(_raw).birth_year')),
            issue('birth_year', 'DATE_MALFORMED', 'birth_year_text is not null and birth_year_read is null'),
            date_issues('permanent_since', 'permanent_since_text', 'permanent_since'),
            issue('permanent_commune', 'PLACEHOLDER_VALUE', 'permanent_commune is null', refuse=true),
            issue(
                'permanent_commune', 'CODE_UNKNOWN',
                'permanent_commune is not null and permanent_commune_key is null', refuse=true
            ),
            issue(
                'permanent_commune', 'CODE_SUPERSEDED',
                "permanent_commune_key is not null and (not permanent_is_exact or ("
                ~ "permanent_district is not null and permanent_since between date '" ~ var('two_level_from') ~ "' and " ~ as_of() ~ "))"
            ),
            issue('current_commune', 'CODE_UNKNOWN', 'current_commune is not null and current_commune_key is null'),
            issue(
                'current_commune', 'CODE_SUPERSEDED',
                "current_commune_key is not null and (not current_is_exact or ("
                ~ "current_district is not null and updated_on >= date '" ~ var('two_level_from') ~ "'))"
            ),
            issue('status_code', 'CODE_UNKNOWN', "coalesce(status_code, '') not in ('1', '2', '3')", refuse=true),
        ]) }} as _issues
    from located
    {{ once() }}
)

select
    record_id,
    id_text,
    personal_id,
    old_id_card,
    household_no,
    surname,
    middle_name,
    given_name,
    householder_relation,
    -- The register's word on sex stands; the number speaks only where the register is silent.
    case
        when sex_code in ('1', '2') then sex_code
        when personal_id is not null then {{ id_sex_code('personal_id') }}
        else '0'
    end as sex_code,
    status_code,
    permanent_commune,
    permanent_commune_key,
    permanent_detail,
    current_commune,
    current_commune_key,
    phone,
    coalesce(
        case when birth_date_read <= {{ as_of() }} then birth_date_read end,
        make_date(birth_year_read, 7, 1),
        case when personal_id is not null then make_date({{ id_birth_year('personal_id') }}, 7, 1) end
    ) as birth_date,
    case
        when birth_date_read <= {{ as_of() }} then {{ date_precision('birth_date_text') }}
        when birth_year_read is not null or personal_id is not null then 'year'
    end as birth_date_precision,
    case when permanent_since <= {{ as_of() }} then permanent_since end as permanent_since,
    updated_at,
    {{ verdict() }}
from checked
