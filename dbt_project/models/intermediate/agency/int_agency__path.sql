-- The ways from an agency to those that have its work later, hand-over by hand-over: of a way to the same agency the
-- shortest, of equal ones the first by key.
with recursive way as (
    select
        predecessor_key as origin_key,
        successor_key as target_key,
        effective_on,
        array[predecessor_key, successor_key] as agencies,
        array[effective_on] as days
    from {{ ref('int_agency__succession') }}

    union all

    select
        way.origin_key,
        next.successor_key as target_key,
        next.effective_on,
        way.agencies || next.successor_key as agencies,
        way.days || next.effective_on as days
    from way
    inner join {{ ref('int_agency__succession') }} as next
        on way.target_key = next.predecessor_key and way.effective_on < next.effective_on
),

shortest as (
    select distinct on (origin_key, target_key)
        origin_key,
        target_key,
        effective_on as complete_on,
        agencies,
        days
    from way
    order by origin_key, target_key, cardinality(days), agencies
)

select
    shortest.origin_key,
    shortest.target_key,
    shortest.complete_on,
    step.step_no,
    shortest.agencies[step.step_no] as from_agency_key,
    shortest.agencies[step.step_no + 1] as to_agency_key,
    shortest.days[step.step_no] as handed_on
from shortest
cross join lateral generate_subscripts(shortest.days, 1) as step (step_no)
