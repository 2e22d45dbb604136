with petitions as (
    select
        petition.*,
        petition.agency_code || '@' || petition.agency_valid_from as agency_key,
        category.field_code,
        petition.status in ('answered', 'published') as has_answer
    from {{ ref('stg_hotline__petition') }} as petition
    inner join {{ ref('stg_hotline__category') }} as category on petition.category_id = category.category_id
    -- The same thing told again is not received again.
    where petition.status <> 'duplicate'
),

placed as (
    select
        petitions.petition_id,
        path.present_key as present_commune_key
    from petitions
    {{ join_path('petitions.commune_key', 'cast(null as text)', 'petitions.petition_id') }}
)

select
    petitions.petition_id,
    petitions.kind,
    petitions.category_id,
    petitions.field_code,
    petitions.channel,
    petitions.agency_key,
    petitions.commune_key,
    placed.present_commune_key,
    petitions.status,
    petitions.status = 'refused' as is_refused,
    petitions.has_answer,
    cast(petitions.received_at as date) as received_on,
    cast(petitions.due_at as date) as due_on,
    case when petitions.has_answer then cast(petitions.answered_at as date) end as answered_on,
    case when petitions.status = 'refused' then cast(petitions.answered_at as date) end as refused_on,
    cast(petitions.published_at as date) as published_on,
    case when petitions.has_answer then petitions.answered_at <= petitions.due_at end as is_on_time,
    petitions.satisfaction,
    petitions.satisfaction in ('very_satisfied', 'satisfied') as is_satisfied,
    petitions.reminders,
    petitions.is_public,
    petitions.is_anonymous
from petitions
left join placed on petitions.petition_id = placed.petition_id
