select
    parcel_id,
    commune_key,
    former_commune_key,
    parent_parcel_id,
    area_m2,
    legal_area_m2,
    use_area_m2,
    is_in_force,
    created_at,
    ended_at,
    updated_at
from {{ ref('base_land__parcel') }}
where not _refused
