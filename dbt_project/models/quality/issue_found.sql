-- What is wrong with the records as they stand. The staging models say what, the contracts say how much of a value may
-- be shown. Rows without a key are told apart by their hash, and the columns that anybody may see stand in for the
-- value: else nobody could find them. What registers say differently of one person, birth or death
-- comes last.
{% for table in contract_tables() %}
select
    '{{ table.source }}' as source_name,
    '{{ table.name }}' as table_name,
    base._record_key as record_key,
    split_part(entry, '|', 1) as field,
    split_part(entry, '|', 2) as issue_code,
    nullif(split_part(entry, '|', 3), '') as raised_severity,
    {{ mask_value('base._original', "split_part(entry, '|', 1)", table.columns) }} as masked_value,
    {{ owner_agency("'" ~ table.source ~ "'") }} as agency
from {{ ref('base_' ~ table.source ~ '__' ~ table.name) }} as base
cross join lateral string_to_table(base._issues, ';') as entry
where base._issues <> ''

union all

select
    refused.source_name,
    refused.table_name,
    case
        when refused.code = 'KEY_MISSING' then refused.record_key || '#' || left(cast(refused.payload_hash as text), 8)
        else refused.record_key
    end as record_key,
    refused.field,
    refused.code as issue_code,
    null as raised_severity,
    case
        when refused.code = 'KEY_MISSING' then {{ open_values('refused.payload', table.columns) }}
        when refused.field is not null then {{ mask_value('refused.payload', 'refused.field', table.columns) }}
    end as masked_value,
    {{ owner_agency("'" ~ table.source ~ "'") }} as agency
from {{ ref('stg_loader__refused') }} as refused
where
    refused.source_name = '{{ table.source }}' and refused.table_name = '{{ table.name }}'
    and not exists (
        select from {{ source(table.source, table.name) }} as held
        where
            {{ same_record('held', 'refused.payload', table) }}
            and held._load_id > refused.last_load_id and held._deleted_at is null
    )

union all
{% endfor %}
select
    conflict.source_name,
    conflict.table_name,
    conflict.record_key,
    conflict.field,
    conflict.issue_code,
    conflict.raised_severity,
    null as masked_value,
    {{ owner_agency('conflict.source_name') }} as agency
from {{ ref('int_person__conflict') }} as conflict

union all

select
    conflict.source_name,
    conflict.table_name,
    conflict.record_key,
    conflict.field,
    conflict.issue_code,
    conflict.raised_severity,
    null as masked_value,
    {{ owner_agency('conflict.source_name') }} as agency
from {{ ref('int_civil__conflict') }} as conflict
