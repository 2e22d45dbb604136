-- No present commune is made of pieces of two former provinces. If this fails, the list of changes sends one to its
-- namesake in another province; or the resolution did reach across a border, and former_province names one side of it.
{{ config(meta={'next_steps': 'Compare the rows of admin.unit_change for the commune named with its resolution.'}) }}

select
    bridge.present_commune_key,
    min(former.province_code) as one_province,
    max(former.province_code) as another_province
from {{ ref('bridge_administrative_unit') }} as bridge
inner join {{ ref('dim_administrative_unit') }} as former on bridge.commune_key = former.commune_key
where former.valid_from < date '{{ var("two_level_from") }}'
group by bridge.present_commune_key
having min(former.province_code) <> max(former.province_code)
