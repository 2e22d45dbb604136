select
    parcel_id,
    commune_key,
    former_commune_key,
    -- The commune whose sheets the number counts: after a merger several communes bring a sheet 1 along.
    coalesce(former_commune_key, commune_key) as numbering_commune_key,
    sheet_no,
    parcel_no,
    parent_parcel_id,
    area_m2,
    legal_area_m2,
    use_area_m2,
    boundary_area_m2,
    longitude,
    latitude,
    is_in_force,
    created_at,
    ended_at,
    updated_at
from {{ ref('base_land__parcel') }}
where not _refused
