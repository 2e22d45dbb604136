select
    cast(md5('right ' || holding.right_id) as uuid) as right_key,
    {{ parcel_key('holding.parcel_id') }} as parcel_key,
    parcel.commune_key,
    parcel.present_key as present_commune_key,
    case holding.holder_type
        when 'CN' then 'individual'
        when 'HGD' then 'household'
        when 'TC' then 'organisation'
        else 'unknown'
    end as holder_type,
    holding.certificate_class,
    holding.issued_on,
    parcel.is_in_force
from {{ ref('stg_land__land_right') }} as holding
inner join {{ ref('int_land__parcel') }} as parcel on holding.parcel_id = parcel.parcel_id
