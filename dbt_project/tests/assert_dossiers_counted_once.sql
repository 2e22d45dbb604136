-- The monthly table holds every received dossier of the complete months exactly once.
with counted as (
    select
        coalesce(sum(received), 0) as received,
        coalesce(sum(settled), 0) as settled
    from {{ ref('fct_dossier_month') }}
),

facts as (
    select
        count(*) filter (where is_received and received_on <= {{ month_end(last_month()) }}) as received,
        count(*) filter (where is_settled and settled_on <= {{ month_end(last_month()) }}) as settled
    from {{ ref('fct_dossier') }}
)

select *
from counted
cross join facts
where counted.received <> facts.received or counted.settled <> facts.settled
