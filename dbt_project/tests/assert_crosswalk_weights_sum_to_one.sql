-- A commune is restated as a whole. If this fails, totals change when history is restated to the present communes.
select
    commune_key,
    sum(weight_population) as population,
    sum(weight_area) as area
from {{ ref('bridge_administrative_unit') }}
group by commune_key
having sum(weight_population) <> 1 or sum(weight_area) <> 1
