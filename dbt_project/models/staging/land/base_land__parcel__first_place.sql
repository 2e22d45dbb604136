{{ config(materialized='table') }}

-- Where the parcels of a divided commune were first entered after its end, by all versions of their records: as
-- base_population__resident__first_abode has it for people. Only parcels that were in force on its last day count.
with versions as (
    {{ every_version('land', 'parcel', [
        'thua_dat_id', 'xa_id', 'xa_id_cu', 'dien_tich', 'thoi_diem_khoi_tao', 'thoi_diem_ket_thuc',
        'thoi_diem_cap_nhat', '_load_id',
    ], where='xa_id_cu is not null') }}
),

cleaned as (
    select
        version.thua_dat_id as parcel_id,
        {{ clean_code('version.xa_id') }} as commune_code,
        {{ clean_code('version.xa_id_cu') }} as former_commune_code,
        version.dien_tich as area_m2,
        version.thoi_diem_khoi_tao as created_at,
        version.thoi_diem_ket_thuc as ended_at,
        cast(version.thoi_diem_cap_nhat as date) as updated_on,
        version._load_id
    from versions as version
)

select distinct on (version.parcel_id)
    version.parcel_id,
    division.old_key,
    division.new_key,
    version.area_m2,
    version._load_id as load_id
from cleaned as version
inner join {{ ref('stg_admin__division') }} as division
    on version.former_commune_code = division.old_code
    and date '{{ var("two_level_from") }}' - 1 between division.period_from and division.period_to
inner join {{ ref('stg_admin__commune_period') }} as place
    on version.commune_code = place.commune_code and division.new_key = place.commune_key
    and {{ address_day('null', 'version.updated_on') }} between place.period_from and place.period_to
where
    version.area_m2 > 0
    and coalesce(version.created_at < division.effective_on, true)
    and coalesce(version.ended_at >= division.effective_on, true)
order by version.parcel_id, version._load_id
