with pairs as (
    select
        predecessor.procedure_code as predecessor_code,
        predecessor.effective_to,
        successor.procedure_code as successor_code,
        successor.effective_from
    from {{ ref('stg_procedures__procedure') }} as predecessor
    cross join lateral string_to_table(predecessor.successors, ';') as named (successor_code)
    inner join {{ ref('stg_procedures__procedure') }} as successor on named.successor_code = successor.procedure_code
    where predecessor.procedure_code <> successor.procedure_code
),

counted as (
    select
        *,
        count(*) over (partition by predecessor_code) as successors,
        count(*) over (partition by successor_code) as predecessors
    from pairs
)

select
    predecessor_code,
    successor_code,
    greatest(effective_to + 1, effective_from) as effective_on,
    case
        when successors > 1 and predecessors > 1 then 'reorganised'
        when successors > 1 then 'divided'
        when predecessors > 1 then 'merged'
        else 'replaced'
    end as relation,
    effective_from > effective_to + 1 as has_gap
from counted
