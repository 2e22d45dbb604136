-- No code without a meaning. Its records are in the issue log (CODE_UNKNOWN); here it is told who has to act: a new
-- code of the source belongs into seeds/source_code.csv, a wrong one goes back to the source's owner.
{{ config(severity='warn', meta={
    'next_steps': 'Ask the owner what the code means; add it to seeds/source_code.csv or have it mended.'
}) }}

select *
from {{ ref('code_in_use') }}
where conformed_code is null
