-- Shared among its children, a figure of a divided parcel would otherwise grow or shrink.
select
    parent_parcel_key,
    sum(weight_area) as weight
from {{ ref('bridge_parcel_lineage') }}
group by parent_parcel_key
having sum(weight_area) <> 1 or count(*) <> max(children)
