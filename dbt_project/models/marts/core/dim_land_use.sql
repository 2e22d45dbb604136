select
    type.land_type,
    type.name_vi,
    type.name_en,
    type.land_group,
    land_group.name_vi as land_group_name_vi,
    land_group.name_en as land_group_name_en
from {{ ref('land_type') }} as type
inner join {{ ref('land_group') }} as land_group on type.land_group = land_group.land_group
