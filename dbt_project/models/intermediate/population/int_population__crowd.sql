{{ config(
    materialized='incremental', incremental_strategy='differences', unique_key='crowd_key', on_schema_change='fail',
    pre_hook='{{ gather_scope() }}'
) }}

-- What as many people share as a published count needs: then their decade of birth tells nobody apart. How many they
-- are is left out: only who becomes a crowd, or is none any more, changes what is shown of its people.
with {{ people_in_bands() }}

select crowd_key
from banded
where crowd_key is not null
group by crowd_key
having count(*) >= {{ var('disclosure_threshold') }}
