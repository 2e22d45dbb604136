-- The office counts people and not we: a cell's key for the noise of what is published is that of the count itself,
-- which another count would change.
select
    month_start,
    commune_key,
    compulsory,
    voluntary,
    unemployment,
    cards_employment,
    cards_fund,
    cards_budget,
    cards_supported,
    cards_household,
    cards_total as health_cards,
    compulsory + voluntary as social_insurance,
    population as population_stated,
    {{ record_draw('health card', "concat_ws('|', commune_key, month_start, cards_total)") }} as health_cards_draw,
    {{ record_draw('social insurance', "concat_ws('|', commune_key, month_start, compulsory + voluntary)") }}
        as social_insurance_draw
from {{ ref('stg_insurance__commune_month') }}
