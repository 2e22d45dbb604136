-- Records that cannot be used, with the defects that keep them out.
{% for table in contract_tables() %}
select
    '{{ table.source }}' as source_name,
    '{{ table.name }}' as table_name,
    base._record_key as record_key,
    array(
        select distinct split_part(entry, '|', 2)
        from string_to_table(base._issues, ';') as entry
        where entry like '%|critical'
        order by 1
    ) as issue_codes,
    {{ owner_agency("'" ~ table.source ~ "'") }} as agency
from {{ ref('base_' ~ table.source ~ '__' ~ table.name) }} as base
where base._refused
{{ "union all" if not loop.last }}
{% endfor %}
