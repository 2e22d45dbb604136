-- Which codes a source really sends, and what they mean here. A list that was changed at the source without a word
-- shows as codes without a meaning.
with sent as (
    {% for table in contract_tables() %}
    {{ codes_sent(table, source(table.source, table.name)) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select
    sent.source_name,
    sent.table_name,
    sent.field,
    sent.code_list,
    sent.code,
    known.conformed_code,
    sum(sent.records) as records
from sent
left join {{ ref('source_code') }} as known
    on
        sent.source_name = known.source_name
        and sent.code_list = known.code_list
        and sent.code = known.source_code
where sent.code <> '' and (known.source_code is not null or not sent.code = any(sent.missing))
group by 1, 2, 3, 4, 5, 6
