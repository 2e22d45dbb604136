-- Nothing is lost on the way: current rows = accepted + quarantined, for every table of every contract.
{% for table in contract_tables() %}
select
    '{{ table.source }}' as source_name,
    '{{ table.name }}' as table_name,
    (
        select count(*)
        from {{ source(table.source, table.name) }} as raw_row
        where raw_row._deleted_at is null
    ) as current_rows,
    (select count(*) from {{ ref('stg_' ~ table.source ~ '__' ~ table.name) }}) as accepted_rows,
    (
        select count(*)
        from {{ ref('quarantine') }} as held
        where held.source_name = '{{ table.source }}' and held.table_name = '{{ table.name }}'
    ) as quarantined_rows,
    (
        select count(distinct issue.record_key)
        from {{ ref('issue') }} as issue
        where
            issue.source_name = '{{ table.source }}'
            and issue.table_name = '{{ table.name }}'
            and issue.closed_at is null
    ) as flawed_rows
{{ "union all" if not loop.last }}
{% endfor %}
