{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='person_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

-- Who is named in the registers, without anything that tells one from the next: what is known of a person is shared by
-- as many as a published count needs, else the years are withheld.
with {{ people_in_crowds() }}

select
    banded.person_key,
    banded.sex,
    coalesce(crowds.birth_year_band, 'unknown') as birth_year_band,
    banded.residence_status,
    banded.residence_status = 'resident' as is_resident,
    case banded.residence_status when 'dead' then false when 'resident' then true end as is_alive,
    banded.commune_key,
    banded.household_key
from banded
left join crowds
    on
        coalesce(banded.commune_key, '') = crowds.place
        and banded.sex = crowds.sex
        and banded.residence_status = crowds.residence_status
        and banded.birth_year_band = crowds.birth_year_band
where true{{ in_scope('banded.person_key') }}
