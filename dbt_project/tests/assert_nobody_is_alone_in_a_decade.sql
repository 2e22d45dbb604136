-- If this fails, commune, sex, status and decade of birth single out fewer people than a published count may show.
select
    commune_key,
    sex,
    residence_status,
    birth_year_band
from {{ ref('dim_person') }}
where birth_year_band <> 'unknown'
group by commune_key, sex, residence_status, birth_year_band
having count(*) < {{ var('disclosure_threshold') }}
