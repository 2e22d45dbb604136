select
    origin_key as commune_key,
    present_key as present_commune_key,
    split_part(origin_key, '@', 1) as commune_code,
    split_part(present_key, '@', 1) as present_commune_code,
    cast(sum(weight_population) as numeric(7, 6)) as weight_population,
    cast(sum(weight_area) as numeric(7, 6)) as weight_area,
    min(method_population) as method_population,
    min(method_area) as method_area
from {{ ref('int_territory__path') }}
group by origin_key, present_key
