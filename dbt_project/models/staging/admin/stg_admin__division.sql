{{ config(materialized='table') }}

-- Communes that were divided, in the words that records use for them: the code and the days on which it meant them.
with pieces as (
    select
        former.commune_code as old_code,
        former.commune_key as old_key,
        former.period_from,
        former.period_to,
        receiver.commune_key as new_key,
        change.effective_on,
        count(*) over (partition by former.commune_key) as parts
    from {{ ref('stg_admin__unit_change') }} as change
    inner join {{ ref('stg_admin__commune_period') }} as former
        on change.old_code = former.commune_code and change.effective_on - 1 = former.period_to and former.is_exact
    inner join {{ ref('stg_admin__commune_period') }} as receiver
        on
            change.new_code = receiver.commune_code
            and change.effective_on between receiver.valid_from and receiver.period_to
            and receiver.is_exact
)

select
    old_code,
    old_key,
    period_from,
    period_to,
    new_key,
    effective_on
from pieces
where parts > 1
