-- Every quarantined record has a critical issue in the log that its owner is shown, and no accepted record has one.
select
    held.source_name,
    held.table_name,
    held.record_key
from {{ ref('quarantine') }} as held
left join {{ ref('issue') }} as issue
    on
        held.source_name = issue.source_name and held.table_name = issue.table_name
        and held.record_key = issue.record_key and issue.severity = 'critical' and issue.closed_at is null
where issue.issue_key is null
