-- Biểu II.06 (TT 01/2020/TT-VPCP): carried over + received + taken over = settled + handed over + in progress, and what
-- is in progress is carried over. If this fails, a dossier was settled before it was received, or counted twice.
with months as (
    select
        *,
        lag(in_progress, 1, 0) over (partition by agency_key, field_code order by month_start) as in_progress_before
    from {{ ref('fct_dossier_month') }}
)

select *
from months
where
    carried_over + received + handed_in <> settled + handed_out + in_progress
    or carried_over <> in_progress_before
    or in_progress < 0
    or settled_on_time > settled
    or received_online > received
