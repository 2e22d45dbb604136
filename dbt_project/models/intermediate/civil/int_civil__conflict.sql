-- What the two registers say differently of a birth or a death, as issues of the owner who has to look: an event that
-- the other side lacks is told to whoever has it, a day that differs to the police, since the justice office's record
-- is the origin (Luật Hộ tịch 60/2014/QH13, Điều 3).
select
    'civil' as source_name,
    'registration' as table_name,
    registration_no as record_key,
    'person_id' as field,
    'EVENT_UNMATCHED' as issue_code,
    cast(null as text) as raised_severity
from {{ ref('int_civil__match') }}
where outcome = 'justice only'

union all

select
    'population' as source_name,
    'event' as table_name,
    event_id as record_key,
    'record_id' as field,
    'EVENT_UNMATCHED' as issue_code,
    null as raised_severity
from {{ ref('int_civil__match') }}
where outcome = 'police only'

union all

select
    'population' as source_name,
    'event' as table_name,
    event_id as record_key,
    'event_date' as field,
    'EVENT_DAY_DIFFERS' as issue_code,
    null as raised_severity
from {{ ref('int_civil__match') }}
where outcome = 'day differs'
