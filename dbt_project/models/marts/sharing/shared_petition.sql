select
    petition.petition_key,
    petition.agency_key,
    category.field_name,
    category.category_name,
    petition.channel,
    commune.unit_name as commune_name,
    petition.status,
    petition.received_on,
    petition.due_on,
    petition.answered_on,
    petition.is_on_time,
    petition.satisfaction
from {{ ref('fct_petition') }} as petition
inner join {{ ref('dim_petition_category') }} as category on petition.category_id = category.category_id
left join {{ ref('dim_administrative_unit') }} as commune on petition.present_commune_key = commune.commune_key
