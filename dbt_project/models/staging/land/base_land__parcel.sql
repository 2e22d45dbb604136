{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='_record_key', on_schema_change='fail',
    pre_hook='{{ forget_deleted() }}'
) }}

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
        {{ clean_code('raw_row.ranh_gioi') }} as boundary,
        coalesce(raw_row.dang_tranh_chap, false) as is_disputed,
        raw_row.thoi_diem_khoi_tao as created_at,
        raw_row.thoi_diem_ket_thuc as ended_at,
        raw_row.thoi_diem_cap_nhat as updated_at
    from {{ source('land', 'parcel') }} as raw_row
    {% call rows_to_judge('raw_row') %}
    or {{ changed_in('raw_row.thua_dat_id', source('land', 'parcel_use'), 'thua_dat_id') }}
    {% endcall %}
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
        {{ wkt_area('cleaned.boundary') }} as boundary_area_m2,
        coalesce(cleaned.x_north, 0) = 0 or coalesce(cleaned.y_east, 0) = 0 as lacks_coordinates,
        coalesce(location.is_swapped, false) as is_swapped,
        location.longitude,
        location.latitude,
        zone.meridian is not null as has_zone,
        place.commune_key,
        place.is_exact,
        former.commune_key as former_commune_key,
        cast(coalesce(former_unit.longitude, unit.longitude) as double precision) as commune_longitude,
        cast(coalesce(former_unit.latitude, unit.latitude) as double precision) as commune_latitude,
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
    left join {{ source('loader', 'parcel_location') }} as location on cleaned.parcel_id = location.parcel_id
    left join {{ ref('vn2000_zone') }} as zone on cleaned.meridian = zone.meridian
    {{ once() }}
),

-- How far the point lies from the point of its commune: as declared, and as if the coordinates were of another
-- meridian, quarters of a degree (27 km) to the east or west: easting counts from the meridian, the point moves along.
measured as (
    select
        *,
        {{ distance_km('longitude', 'latitude', 'commune_longitude', 'commune_latitude') }} as distance_km,
        {{ distance_km('longitude + next_meridian', 'latitude', 'commune_longitude', 'commune_latitude') }}
            as distance_by_next_km
    from (
        select
            *,
            round(4 * (commune_longitude - longitude)) / 4 as next_meridian
        from located
    ) as located
    {{ once() }}
),

placed as (
    select
        *,
        distance_km > {{ var('commune_reach_km') }} and distance_by_next_km <= {{ var('commune_reach_km') }}
        and {{ is_meridian_of_province('meridian', 'has_zone', 'next_meridian') }} as is_of_next_meridian
    from measured
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
            issue('x_north', 'COORDINATES_MISSING', 'lacks_coordinates'),
            issue('x_north', 'AXES_SWAPPED', 'is_swapped'),
            issue('x_north', 'POINT_OUTSIDE_COMMUNE', 'not lacks_coordinates and has_zone and not is_of_next_meridian'
                ~ ' and coalesce(distance_km > ' ~ var('commune_reach_km') ~ ', longitude is null)'),
            issue('kinh_tuyen_truc', 'MERIDIAN_MISMATCH', 'is_of_next_meridian'),
            issue('kinh_tuyen_truc', 'CODE_UNKNOWN', 'meridian is not null and not has_zone'),
            issue('kinh_tuyen_truc', 'PLACEHOLDER_VALUE', 'meridian is null and not lacks_coordinates'),
            issue('ranh_gioi', 'GEOMETRY_MALFORMED', 'boundary is not null and boundary_area_m2 is null'),
            issue(
                'ranh_gioi', 'GEOMETRY_AREA_MISMATCH', 'abs(boundary_area_m2 - area_m2) > greatest(0.01 * area_m2, 1)'
            ),
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
    boundary_area_m2,
    -- Of the next meridian: moved to where it belongs, which the issue log tells. Far away from its commune: not known.
    case
        when is_of_next_meridian then longitude + next_meridian
        when distance_km <= {{ var('commune_reach_km') }} or distance_km is null then longitude
    end as longitude,
    case
        when is_of_next_meridian or distance_km <= {{ var('commune_reach_km') }} or distance_km is null then latitude
    end as latitude,
    dia_chi as address,
    is_in_force,
    is_disputed,
    case when created_at < {{ as_of() }} + 1 then created_at end as created_at,
    case when ended_at >= created_at then ended_at end as ended_at,
    updated_at,
    {{ verdict() }}
from checked
