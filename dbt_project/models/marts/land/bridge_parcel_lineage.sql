-- The register names one parent per parcel (THUAGOCID). Several children of one parent: it was divided. One child alone
-- took its place. That several parcels became one it cannot say.
with children as (
    select
        child.parcel_id,
        child.parent_parcel_id,
        child.created_on,
        count(*) over same_parent as siblings,
        row_number() over (partition by child.parent_parcel_id order by child.parcel_id) as child_no,
        round(child.area_m2 / sum(child.area_m2) over same_parent, 6) as weight_area
    from {{ ref('int_land__parcel') }} as child
    where child.parent_parcel_id is not null
    window same_parent as (partition by child.parent_parcel_id)
)

select
    {{ parcel_key('parent.parcel_id') }} as parent_parcel_key,
    {{ parcel_key('children.parcel_id') }} as child_parcel_key,
    case when children.siblings > 1 then 'divided' else 'replaced' end as relation,
    cast(children.siblings as integer) as children,
    coalesce(children.created_on, parent.ended_on) as effective_on,
    -- The first child takes what rounding leaves, so that the shares sum to exactly 1.
    cast(case
        when children.child_no = 1
            then 1 - coalesce(sum(children.weight_area) filter (where children.child_no > 1) over same_parent, 0)
        else children.weight_area
    end as numeric(7, 6)) as weight_area
from children
inner join {{ ref('int_land__parcel') }} as parent on children.parent_parcel_id = parent.parcel_id
window same_parent as (partition by children.parent_parcel_id)
