-- When communes are merged or divided, as many people enter the new ones as leave the old ones. If this fails, a reform
-- on paper has made people appear or vanish.
select
    month_start,
    sum(direction * events) as surplus
from {{ ref('fct_population_event') }}
where event_type in ('reorganised_in', 'reorganised_out')
group by month_start
having sum(direction * events) <> 0
