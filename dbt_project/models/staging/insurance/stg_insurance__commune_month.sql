select
    record_no,
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
    cards_total,
    population
from {{ ref('base_insurance__commune_month') }}
where not _refused
