-- What one agency hands over another takes over in the same month. If this fails, a reform has lost dossiers.
select
    month_start,
    sum(handed_in) as handed_in,
    sum(handed_out) as handed_out
from {{ ref('fct_dossier_month') }}
group by month_start
having sum(handed_in) <> sum(handed_out)
