-- Requests for supplements, with the working days that each held a dossier up. Waiting stops the clock; what was never
-- answered has no end.
with asked as (
    select
        dossier.dossier_code,
        cast(entry.supplement_no as integer) as supplement_no,
        cast({{ to_local_time("(entry.item ->> 'NgayBoSung')") }} as date) as asked_on,
        cast({{ to_local_time("(entry.item ->> 'NgayTiepNhanBoSung')") }} as date) as answered_on
    from {{ ref('stg_procedures__dossier') }} as dossier
    cross join lateral jsonb_array_elements(dossier.supplements) with ordinality as entry (item, supplement_no)
    where jsonb_array_length(dossier.supplements) > 0
)

select
    asked.dossier_code,
    asked.supplement_no,
    asked.asked_on,
    case when asked.answered_on >= asked.asked_on then asked.answered_on end as answered_on,
    case
        when asked.answered_on >= asked.asked_on then last_day.working_day_no - first_day.working_day_no
    end as waiting_days
from asked
left join {{ ref('int_calendar__day') }} as first_day on asked.asked_on = first_day.day
left join {{ ref('int_calendar__day') }} as last_day on asked.answered_on = last_day.day
