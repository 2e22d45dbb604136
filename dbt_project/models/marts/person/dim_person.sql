{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='person_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

-- Who is named in the registers, without anything that tells one from the next: what is known of a person is shared by
-- as many as a published count needs, else the years are withheld.
with {{ people_in_bands(in_scope('person.person_key')) }}

select
    banded.person_key,
    banded.sex,
    case when crowd.crowd_key is null then 'unknown' else banded.birth_year_band end as birth_year_band,
    banded.residence_status,
    banded.residence_status = 'resident' as is_resident,
    case banded.residence_status when 'dead' then false when 'resident' then true end as is_alive,
    banded.commune_key,
    banded.household_key
from banded
left join {{ ref('int_population__crowd') }} as crowd on banded.crowd_key = crowd.crowd_key
