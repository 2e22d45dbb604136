-- Feedback on regulations and on officials' behaviour runs by working days of its own: refused within 2, resolved
-- within 15, made public within 2 after that (NĐ 20/2008/NĐ-CP, NĐ 92/2017/NĐ-CP; QĐ 766/QĐ-TTg, 5.2).
with feedback as (
    select
        petition_id,
        kind,
        category_id,
        field_code,
        channel,
        agency_key,
        status,
        is_refused,
        received_on,
        coalesce(answered_on, refused_on) as settled_on,
        published_on,
        satisfaction,
        reminders
    from {{ ref('int_hotline__petition') }}
    where kind <> 'on_site'
),

clocked as (
    select
        feedback.*,
        settled.working_day_no - received.working_day_no as working_days,
        published.working_day_no - settled.working_day_no as publishing_days,
        today.working_day_no - received.working_day_no as working_days_so_far
    from feedback
    left join {{ ref('int_calendar__day') }} as received on feedback.received_on = received.day
    left join {{ ref('int_calendar__day') }} as settled on feedback.settled_on = settled.day
    left join {{ ref('int_calendar__day') }} as published on feedback.published_on = published.day
    left join {{ ref('int_calendar__day') }} as today on today.day = {{ as_of() }}
),

judged as (
    select
        *,
        case
            when settled_on is null then working_days_so_far <= 15
            when is_refused then working_days <= 2
            else working_days <= 15 and coalesce(publishing_days <= 2, true)
        end as is_on_time
    from clocked
)

select
    {{ pseudonym('petition', 'petition_id') }} as feedback_key,
    kind,
    category_id,
    field_code,
    channel,
    agency_key,
    status,
    is_refused,
    received_on,
    settled_on,
    published_on,
    working_days,
    is_on_time,
    satisfaction,
    reminders,
    -- 5.3: not complained of in any way, each counted once.
    is_on_time and reminders = 0 and coalesce(satisfaction, '') <> 'not_satisfied' as is_satisfactory
from judged
