{{ config(materialized='table') }}

with cleaned as (
    select
        raw_row as _raw,
        cast(raw_row.thua_dat_id as text) as _record_key,
        raw_row.thua_dat_id as parcel_id,
        {{ clean_code('raw_row.ma_dinh_danh_thua') }} as parcel_code,
        {{ clean_code('raw_row.xa_id') }} as commune_code,
        {{ clean_code('raw_row.xa_id_cu') }} as former_commune_code,
        -- The two-level system always names the former commune; without one the place is of the old list.
        case when raw_row.xa_id_cu is null then raw_row.xa_id end as old_address,
        raw_row.so_to as sheet_no,
        raw_row.so_thua as parcel_no,
        raw_row.dien_tich as area_m2,
        {{ clean_code('raw_row.dien_tich_phap_ly') }} as legal_area_text,
        {{ clean_text('raw_row.dia_chi') }} as dia_chi,
        raw_row.trang_thai = 1 as is_in_force,
        raw_row.thua_goc_id as parent_parcel_id,
        raw_row.x_north,
        raw_row.y_east,
        {{ clean_code('raw_row.kinh_tuyen_truc') }} as meridian,
        coalesce(raw_row.dang_tranh_chap, false) as is_disputed,
        raw_row.thoi_diem_khoi_tao as created_at,
        raw_row.thoi_diem_ket_thuc as ended_at,
        raw_row.thoi_diem_cap_nhat as updated_at
    from {{ source('land', 'parcel') }} as raw_row
    where raw_row._deleted_at is null
    {{ once() }}
),

uses as (
    select
        thua_dat_id as parcel_id,
        sum(dien_tich) as use_area_m2
    from {{ source('land', 'parcel_use') }}
    where _deleted_at is null
    group by thua_dat_id
),

located as (
    select
        cleaned.*,
        {{ to_number('cleaned.legal_area_text') }} as legal_area_m2,
        -- Northings of the province lie between 1,148 and 1,300 km, eastings below 640 km: they cannot be confused.
        cleaned.x_north < 1000000 and cleaned.y_east > 1000000 as is_swapped,
        place.commune_key,
        place.is_exact,
        former.commune_key as former_commune_key,
        coalesce(former_unit.longitude, unit.longitude) as commune_longitude,
        parent.thua_dat_id is not null as has_parent,
        uses.use_area_m2
    from cleaned
    {{ join_commune('place', 'cleaned.commune_code', address_day(
        'cleaned.old_address', 'cast(cleaned.updated_at as date)'
    )) }}
    {{ join_commune('former', 'cleaned.former_commune_code', "date '" ~ var('two_level_from') ~ "' - 1") }}
    left join {{ ref('stg_admin__unit') }} as unit
        on unit.level_code = 'XA' and place.commune_code = unit.unit_code and place.valid_from = unit.valid_from
    left join {{ ref('stg_admin__unit') }} as former_unit
        on former_unit.level_code = 'XA' and former.commune_code = former_unit.unit_code
        and former.valid_from = former_unit.valid_from
    left join {{ source('land', 'parcel') }} as parent on cleaned.parent_parcel_id = parent.thua_dat_id
    left join uses on cleaned.parcel_id = uses.parcel_id
    {{ once() }}
),

-- Longitude by the declared meridian, good to a kilometre: enough to tell meridians 27 km apart.
placed as (
    select
        *,
        case meridian when '105-45' then 105.75 when '105-30' then 105.5 end
        + (case when is_swapped then x_north else y_east end - 500000)
        / (111310 * cos(radians((case when is_swapped then y_east else x_north end) / 110600))) as declared_longitude
    from located
    {{ once() }}
),

checked as (
    select
        *,
        {{ issues([
            issue('xa_id', 'PLACEHOLDER_VALUE', 'commune_code is null', refuse=true),
            issue('xa_id', 'CODE_UNKNOWN', 'commune_code is not null and commune_key is null', refuse=true),
            issue(
                'xa_id', 'CODE_SUPERSEDED',
                "commune_key is not null and (not is_exact or (old_address is not null and updated_at >= date '"
                ~ var('two_level_from') ~ "'))"
            ),
            issue('thua_goc_id', 'REFERENCE_MISSING', 'parent_parcel_id is not null and not has_parent'),
            issue('thoi_diem_khoi_tao', 'DATE_IN_FUTURE', 'created_at >= ' ~ as_of() ~ ' + 1'),
            text_issues(['dia_chi']),
            issue(
                'dien_tich', 'AREA_MISMATCH', 'abs(use_area_m2 - area_m2) > 0.01 * area_m2'
            ),
            issue('dien_tich', 'NUMBER_FORMAT', 'area_m2 is null or area_m2 <= 0', refuse=true),
            issue('dien_tich_phap_ly', 'NUMBER_FORMAT', "legal_area_text is not null and (legal_area_m2 is null"
                ~ " or strpos(legal_area_text, ',') > 0)"),
            issue('x_north', 'AXES_SWAPPED', 'is_swapped'),
            issue(
                'kinh_tuyen_truc', 'MERIDIAN_MISMATCH',
                "abs(declared_longitude - commune_longitude) > abs(declared_longitude"
                ~ " + case meridian when '105-45' then -0.25 else 0.25 end - commune_longitude)"
            ),
            issue('kinh_tuyen_truc', 'CODE_UNKNOWN', "meridian not in ('105-45', '105-30')"),
            issue('thoi_diem_ket_thuc', 'DATE_ORDER', 'ended_at < created_at'),
        ]) }} as _issues
    from placed
    {{ once() }}
)

select
    parcel_id,
    parcel_code,
    commune_key,
    former_commune_key,
    sheet_no,
    parcel_no,
    case when has_parent then parent_parcel_id end as parent_parcel_id,
    area_m2,
    legal_area_m2,
    use_area_m2,
    dia_chi as address,
    is_in_force,
    is_disputed,
    case when created_at < {{ as_of() }} + 1 then created_at end as created_at,
    case when ended_at >= created_at then ended_at end as ended_at,
    updated_at,
    {{ verdict() }}
from checked
