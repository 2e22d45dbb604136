-- Biểu II.06 (TT 01/2020/TT-VPCP), for every agency, field and month: carried over + received + taken over = settled
-- + handed over + in progress; received = online + otherwise; settled = early + on the day + late; in progress = in
-- time + overdue; what is in progress is carried over. If this fails, a dossier was settled before it was received, was
-- counted twice, or is overdue in nobody's hands.
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
    or received <> received_online + received_otherwise
    or settled <> settled_early + settled_on_due_day + settled_late
    or settled_on_time <> settled_early + settled_on_due_day
    or in_progress <> in_progress_in_time + in_progress_overdue
    or least(
        received_online, received_otherwise, handed_in, handed_out, settled_early, settled_on_due_day, settled_late,
        in_progress_in_time, in_progress_overdue
    ) < 0
