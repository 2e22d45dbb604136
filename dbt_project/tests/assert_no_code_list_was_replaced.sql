-- Where more than one record in a hundred carries a code that nobody knows, the source has another code list than the
-- one that was agreed: its figures would be wrong, so the build stops.
{{ config(meta={'next_steps': 'Compare quality.code_in_use with the list of the source; complete source_code.csv.'}) }}

select
    source_name,
    table_name,
    field,
    sum(records) as records,
    sum(records) filter (where conformed_code is null) as unmapped
from {{ ref('code_in_use') }}
group by source_name, table_name, field
having coalesce(sum(records) filter (where conformed_code is null), 0) > greatest(10, 0.01 * sum(records))
