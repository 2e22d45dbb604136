{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='_record_key', on_schema_change='fail',
    pre_hook='{{ forget_deleted() }}', meta={'tells': ['parcel_id']}
) }}

with cleaned as (
    select
        raw_row as _raw,
        cast(raw_row.quyen_id as text) as _record_key,
        raw_row.quyen_id as right_id,
        raw_row.thua_dat_id as parcel_id,
        {{ clean_code('raw_row.loai_chu') }} as holder_type,
        {{ clean_text('raw_row.ten_chu') }} as ten_chu,
        {{ clean_code('raw_row.so_dinh_danh') }} as holder_id_text,
        {{ clean_code('raw_row.nam_sinh') }} as birth_text,
        {{ clean_text('raw_row.dia_chi') }} as dia_chi,
        {{ clean_code('raw_row.so_phat_hanh') }} as certificate_no,
        {{ clean_code('raw_row.ngay_cap') }} as issued_on_text,
        raw_row.thoi_diem_cap_nhat as updated_at
    from {{ source('land', 'land_right') }} as raw_row
    {% call rows_to_judge('raw_row') %}
    or {{ changed_in('raw_row.thua_dat_id', source('land', 'parcel'), 'thua_dat_id', vanished=true) }}
    {% endcall %}
    {{ once() }}
),

read_dates as (
    select
        *,
        {{ to_day('birth_text', 'dd/MM/yyyy') }} as birth_day,
        {{ to_day('issued_on_text', 'dd/MM/yyyy') }} as issued_on
    from cleaned
    {{ once() }}
),

typed as (
    select
        read_dates.*,
        {{ recover_personal_id(
            'read_dates.holder_id_text', 'cast(extract(year from read_dates.birth_day) as integer)'
        ) }} as personal_id,
        parcel.parcel_id is not null as has_parcel
    from read_dates
    left join {{ ref('base_land__parcel') }} as parcel on read_dates.parcel_id = parcel.parcel_id
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue('thua_dat_id', 'REFERENCE_MISSING', 'not has_parcel', refuse=true),
            issue('loai_chu', 'CODE_UNKNOWN', "coalesce(holder_type, '') not in ('CN', 'TC', 'HGD')"),
            text_issues(['ten_chu', 'dia_chi']),
            issue(
                'so_dinh_danh', 'ID_LEADING_ZERO_LOST',
                "holder_type in ('CN', 'HGD') and length(holder_id_text) = 11 and personal_id is not null"
            ),
            issue(
                'so_dinh_danh', 'ID_MALFORMED',
                "holder_type in ('CN', 'HGD') and personal_id is null and not (length(holder_id_text) = 9 and "
                ~ is_digits('holder_id_text') ~ ")"
            ),
            issue(
                'so_dinh_danh', 'ID_BIRTH_YEAR_MISMATCH',
                "holder_type in ('CN', 'HGD') and personal_id is not null and "
                ~ id_birth_year('personal_id') ~ " <> extract(year from birth_day)"
            ),
            issue(
                'so_dinh_danh', 'TAX_CODE_CHECK_DIGIT',
                "holder_type = 'TC' and holder_id_text is not null and not " ~ tax_code_is_valid('holder_id_text')
            ),
            date_issues('nam_sinh', 'birth_text', 'birth_day', year=true),
            date_issues('ngay_cap', 'issued_on_text', 'issued_on'),
        ]) }} as _issues
    from typed
    {{ once() }}
)

select
    right_id,
    parcel_id,
    case when holder_type in ('CN', 'TC', 'HGD') then holder_type end as holder_type,
    ten_chu as holder_name,
    holder_id_text,
    personal_id,
    -- The number of an enterprise is public.
    case when holder_type = 'TC' then holder_id_text end as enterprise_code,
    birth_day,
    dia_chi as holder_address,
    certificate_no,
    {{ certificate_class('certificate_no') }} as certificate_class,
    case when issued_on <= {{ as_of() }} then issued_on end as issued_on,
    updated_at,
    {{ verdict() }}
from checked
