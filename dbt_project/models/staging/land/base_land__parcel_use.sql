{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='_record_key', on_schema_change='fail',
    pre_hook='{{ forget_deleted() }}'
) }}

with cleaned as (
    select
        raw_row as _raw,
        cast(raw_row.muc_dich_id as text) as _record_key,
        raw_row.muc_dich_id as use_id,
        raw_row.thua_dat_id as parcel_id,
        raw_row.so_thu_tu as use_no,
        {{ clean_text('raw_row.loai_dat') }} as land_type_text,
        raw_row.dien_tich as area_m2,
        {{ clean_code('raw_row.nguon_goc') }} as origin_code,
        {{ clean_text('raw_row.thoi_han') }} as term_text,
        raw_row.thoi_diem_cap_nhat as updated_at
    from {{ source('land', 'parcel_use') }} as raw_row
    {% call rows_to_judge('raw_row') %}
    or {{ changed_in('raw_row.thua_dat_id', source('land', 'parcel'), 'thua_dat_id', vanished=true) }}
    {% endcall %}
    {{ once() }}
),

typed as (
    select
        cleaned.*,
        coalesce(land_type.land_type, alias.land_type, label.land_type) as land_type,
        alias.issue_code as alias_issue,
        label.land_type is not null as is_label,
        {{ to_day('cleaned.term_text', 'dd/MM/yyyy') }} as term_until,
        parcel.parcel_id is not null as has_parcel
    from cleaned
    left join {{ ref('land_type') }} as land_type on cleaned.land_type_text = land_type.land_type
    left join {{ ref('land_type_alias') }} as alias
        on land_type.land_type is null
        and alias.alias = case
            when length(cleaned.land_type_text) = 3 then cleaned.land_type_text
            else lower(cleaned.land_type_text)
        end
    left join {{ ref('land_type') }} as label
        on land_type.land_type is null and lower(cleaned.land_type_text) = lower(label.name_vi)
    left join {{ ref('base_land__parcel') }} as parcel on cleaned.parcel_id = parcel.parcel_id
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue('thua_dat_id', 'REFERENCE_MISSING', 'not has_parcel', refuse=true),
            issue('loai_dat', 'CODE_SUPERSEDED', "alias_issue = 'CODE_SUPERSEDED'"),
            issue(
                'loai_dat', 'CODE_LABEL',
                "alias_issue = 'CODE_LABEL' or is_label or (land_type is null and land_type_text <> '0'"
                ~ " and length(land_type_text) <> 3)"
            ),
            issue('loai_dat', 'PLACEHOLDER_VALUE', "coalesce(land_type_text, '0') = '0'"),
            issue('loai_dat', 'CODE_UNKNOWN', 'land_type is null and length(land_type_text) = 3'),
            issue('dien_tich', 'NUMBER_FORMAT', 'area_m2 is null or area_m2 <= 0', refuse=true),
            issue(
                'thoi_han', 'DATE_MALFORMED',
                "term_until is null and term_text not in ('Lâu dài', 'lâu dài')"
            ),
            issue('thoi_han', 'DATE_EXCEL_SERIAL', 'length(term_text) = 5 and term_until is not null'),
        ]) }} as _issues
    from typed
    {{ once() }}
)

select
    use_id,
    parcel_id,
    use_no,
    coalesce(land_type, 'KXD') as land_type,
    -- Origins 12 to 15 repeat 2, 3, 10 and 11 in longer words.
    case origin_code
        when '12' then '2'
        when '13' then '3'
        when '14' then '10'
        when '15' then '11'
        else origin_code
    end as origin_code,
    area_m2,
    term_until,
    updated_at,
    {{ verdict() }}
from checked
